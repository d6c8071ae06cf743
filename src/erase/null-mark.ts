import type { Column } from '../schema/schema.ts'

/** Why NULL does not identify the rows that are not marked; `undefined` if it does. */
export function whyNotNull({ nullable, default: value }: Column): string | undefined {
  if (!nullable) return 'is never NULL'
  return value === undefined ? undefined : `has the default ${value}, which unmarked rows may have`
}
