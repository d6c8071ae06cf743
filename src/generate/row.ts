import type { ColumnFacts } from '../engine/row-dialect.ts'
import type { ForeignKey, Table } from '../schema/schema.ts'
import type { Random } from './random.ts'
import { valueFor } from './values.ts'

/** Values by column. The server fills the columns that are left out. */
export type GeneratedRow = ReadonlyMap<string, string | null>

export interface RowInput {
  readonly table: Table
  readonly facts: readonly ColumnFacts[]
  readonly keys: readonly KeyInput[]
  readonly random: Random
  /** Fill only the required columns: for a table that rejected other rows. */
  readonly bare: boolean
}

/** A foreign key of the table, and candidate rows to reference, with values in the key's column order. */
export interface KeyInput {
  readonly foreignKey: ForeignKey
  readonly parents: readonly (readonly (string | null)[])[]
}

/** A candidate row, or why none is possible. Only an INSERT tests unique keys and most checks. Pure. */
export function generateRow(input: RowInput): GeneratedRow | { readonly impossible: string } {
  const row = new Map<string, string | null>()
  const problem = fillKeys(input, row)
  if (problem !== undefined) return { impossible: problem }
  for (const column of input.facts) {
    if (row.has(column.name) || isLeftOut(column, input)) continue
    const value = isNull(column, input) ? null : valueFor(column, input.random)
    if (value !== undefined) row.set(column.name, value)
    else if (!column.hasDefault) row.set(column.name, null)
  }
  refersToItself(input, row)
  return row
}

function fillKeys(
  { table, keys, random, bare }: RowInput,
  row: Map<string, string | null>,
): string | undefined {
  for (const { foreignKey, parents } of keys) {
    const { columns, from, to } = foreignKey
    const nullable = columns.filter((name) => isNullable(table, name) && !row.has(name))
    const fitting = parents.filter((parent) =>
      columns.every((name, index) => !row.has(name) || row.get(name) === parent[index]),
    )
    const chosen = nullable.length > 0 && (bare || random.chance(0.2)) ? undefined : random.pick(fitting)
    if (chosen !== undefined)
      for (const [index, name] of columns.entries()) row.set(name, chosen[index] ?? null)
    else if (nullable.length > 0) for (const name of nullable) row.set(name, null)
    else if (from !== to) {
      return parents.length === 0
        ? `its foreign key "${foreignKey.name}" may not be null, and there is no row that it could refer to`
        : `no row fits all of its foreign keys`
    }
  }
  return undefined
}

function isLeftOut(column: ColumnFacts, { random, bare }: RowInput): boolean {
  return column.automatic || (column.hasDefault && (bare || random.chance(0.3)))
}

function isNull(column: ColumnFacts, { table, random, bare }: RowInput): boolean {
  return isNullable(table, column.name) && (bare || random.chance(0.15))
}

/** If the table must reference itself, its first row does. */
function refersToItself({ keys }: RowInput, row: Map<string, string | null>): void {
  for (const { foreignKey, parents } of keys) {
    if (foreignKey.from !== foreignKey.to || parents.length > 0) continue
    for (const [index, name] of foreignKey.columns.entries()) {
      const own = row.get(foreignKey.referencedColumns[index] ?? '')
      if (row.get(name) !== null && own !== undefined) row.set(name, own)
    }
  }
}

function isNullable({ columns }: Table, name: string): boolean {
  return columns.find((column) => column.name === name)?.nullable === true
}
