import type { Column } from '../schema/schema.ts'

/** The default of a column as the catalog has it; absent if it is NULL, which MariaDB and SQLite write out. */
export function defaultFrom(value: unknown): Pick<Column, 'default'> {
  if (value === null || value === undefined) return {}
  const text = String(value)
  return /^\(*null\)*(::.*)?$/i.test(text) ? {} : { default: text }
}
