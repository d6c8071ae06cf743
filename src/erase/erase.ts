import type { Zone } from '../engine/erase-dialect.ts'
import { AfreshError } from '../errors.ts'
import { type Table, tableOf } from '../schema/schema.ts'
import { isArchiveTable } from './archive-tables.ts'
import { eraseRows } from './erase-rows.ts'
import { type EraseOptions, tableNamed } from './options.ts'
import { wantedRows } from './purge-conditions.ts'
import type { EraseReport } from './report.ts'
import type { EraseContext } from './run-transaction.ts'
import { conditionsOf, type Value, type Where } from './where.ts'

export async function erase(
  ground: EraseContext,
  table: string,
  where: Where,
  options: EraseOptions = {},
): Promise<EraseReport> {
  const named = tableNamed(ground.schema, table)
  return eraseRows(
    ground,
    [{ table: named, conditions: conditionsOf(where, named, ground.engine.erase) }],
    options,
  )
}

/** Which of the rows that a soft delete has marked `purge` and `purgeFrom` delete, and how. */
export interface PurgeOptions extends Omit<EraseOptions, 'softDelete'> {
  /** What `softDelete` marked. Default `deleted_at`. */
  readonly column?: string
  /** Only what was marked earlier: so many milliseconds ago by the server's clock, or before this time. */
  readonly olderThan?: number | Date | string
  /** What a column without a time zone holds, where `olderThan` is a time and the session has another zone than UTC. */
  readonly zone?: Zone
  /** Only what was marked with this value. */
  readonly value?: Value
  /** Only in these tables. Default: in every one that has the column. */
  readonly tables?: readonly string[]
}

/** Deletes what `softDelete` has marked. */
export async function purge(ground: EraseContext, options: PurgeOptions = {}): Promise<EraseReport> {
  const { column = 'deleted_at', olderThan, value, tables, zone, ...rest } = options
  if (olderThan !== undefined && value !== undefined) {
    throw new AfreshError('usage', 'purge: olderThan and value cannot be combined.', {
      next: 'Give one of them.',
    })
  }
  const marked = { column, olderThan, value, zone }
  const wanted = await wantedRows(ground, tablesWith(ground, column, tables), marked)
  return eraseRows(ground, wanted, rest, { isPurge: true })
}

function tablesWith({ schema }: EraseContext, column: string, names: readonly string[] | undefined): Table[] {
  const has = (table: Table) => table.columns.some(({ name }) => name === column)
  const named = names?.map((name) => tableNamed(schema, name))
  const lacking = named?.filter((table) => !has(table)) ?? []
  const isHeir = ({ inherits }: Table) => inherits.some((id) => has(tableOf(schema, id)))
  const found = (
    named ?? schema.tables.filter((table) => !isHeir(table) && !isArchiveTable(schema, table))
  ).filter((table) => has(table) && !table.traits.includes('materialized'))
  if (lacking.length === 0 && found.length > 0) return found
  const where = lacking.length > 0 ? lacking.map(({ label }) => label).join(', ') : 'no table'
  throw new AfreshError(
    'usage',
    `purge: ${lacking.length > 0 ? `${where} has no` : 'no table has a'} column ${JSON.stringify(column)}.`,
    { next: 'Name the column that softDelete was given.' },
  )
}
