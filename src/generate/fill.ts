/**
 * In: a schema and a number of rows.
 * Out: rows that satisfy its constraints.
 * Called by `cli/demo/` and `bench/user-schema/`.
 */
import { graphOf } from '../schema/graph.ts'
import { type Table, tableOf } from '../schema/schema.ts'
import type { Writer } from './writer.ts'

export interface Filled {
  readonly rows: number
  /** Tables that stayed empty, with the server's reason. */
  readonly leftEmpty: readonly { readonly table: string; readonly reason: string }[]
}

const ROWS_PER_TABLE = 12
/** Attempts for one row: its made-up values may violate constraints. */
const TRIES = 40

/**
 * Fills all empty tables, parents first. Reports the tables for which no rows could be generated.
 *
 * @param populated ids of the tables that already have rows; they are not changed
 */
export async function fillTables(writer: Writer, populated: readonly string[]): Promise<Filled> {
  const { schema } = writer
  const own = schema.tables.filter(
    ({ traits }) => !traits.includes('extension') && !traits.includes('foreign'),
  )
  const wanted = new Set(own.map(({ id }) => id).filter((id) => !populated.includes(id)))
  const leftEmpty: { table: string; reason: string }[] = []
  let rows = 0
  for (const group of graphOf(schema).order.toReversed()) {
    const tables = group.filter((id) => wanted.has(id)).map((id) => tableOf(schema, id))
    // A cycle is filled twice: the first row of one table makes the first row of another possible.
    const refusals = new Map<Table, string>()
    for (const table of tables.length > 1 ? [...tables, ...tables] : tables) {
      const { written, refusal } = await fillTable(writer, table)
      rows += written
      if (written > 0) refusals.delete(table)
      else if (refusal !== undefined) refusals.set(table, refusal)
    }
    for (const [table, reason] of refusals) leftEmpty.push({ table: table.label, reason })
  }
  return { rows, leftEmpty }
}

async function fillTable(
  writer: Writer,
  table: Table,
): Promise<{ written: number; refusal: string | undefined }> {
  for (let written = 0; written < ROWS_PER_TABLE; written++) {
    const refusal = await writer.insert(table, written === 0 ? TRIES : TRIES / 4)
    if (refusal !== undefined) return { written, refusal }
  }
  return { written: ROWS_PER_TABLE, refusal: undefined }
}
