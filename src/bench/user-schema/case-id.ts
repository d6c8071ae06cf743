import type { Table } from '../../schema/schema.ts'
import { OWN_FACTOR } from '../cases.ts'

/** Contains the table's label, which two tables may share: `a.b` in one schema, and `b` in the schema `a`. */
export function caseIdOf({ id, label }: Table, tables: readonly Table[]): string {
  const isShared = tables.filter((table) => table.label === label).length > 1
  return `${OWN_FACTOR}=${isShared ? `${label} (${id})` : label}`
}
