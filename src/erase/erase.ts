/**
 * In: a table and a condition.
 * Out: the rows deleted, with all that refers to them, in an order that foreign keys permit.
 * Called by `harness/` (`erase`, `purge`) and the command line.
 */
import type { Zone } from '../engine/erase-dialect.ts'
import { AfreshError } from '../errors.ts'
import { type Table, tableOf } from '../schema/schema.ts'
import { isArchiveTable } from './archive-tables.ts'
import { eraseRows } from './erase-rows.ts'
import { namedTable } from './named-table.ts'
import type { EraseOptions } from './options.ts'
import { wantedRows } from './purge-conditions.ts'
import type { EraseReport } from './report.ts'
import type { EraseContext } from './run-transaction.ts'
import { conditionsOf, type Value, type Where } from './where.ts'

export async function erase(
  context: EraseContext,
  table: string,
  where: Where,
  options: EraseOptions = {},
): Promise<EraseReport> {
  const named = await namedTable(context, table)
  return eraseRows(
    context,
    [{ table: named, conditions: conditionsOf(where, named, context.engine.erase) }],
    options,
  )
}

/** Options of `purge` and `purgeFrom`: which rows that a soft delete has marked are deleted, and how. */
export interface PurgeOptions extends Omit<EraseOptions, 'softDelete'> {
  /** The column that `softDelete` set. Default `deleted_at`. */
  readonly column?: string
  /**
   * Only rows marked before this: an age in milliseconds by the server's clock, a date, or a string that is
   * compared with the column as it is.
   */
  readonly olderThan?: number | Date | string
  /** Time zone of a column without one, for an age or a date. Required unless the session is in UTC. */
  readonly zone?: Zone
  /** Only rows marked with this value. Cannot be combined with `olderThan`. */
  readonly value?: Value
  /**
   * What unmarked rows have, where that is not NULL: a value or several, as for `softDelete`. Rows with one of
   * them are kept. A column that is never NULL needs it, or `value`.
   */
  readonly live?: Value | null | readonly (Value | null)[]
  /** Only these tables. Default: every table that has the column, except archive tables. */
  readonly tables?: readonly string[]
}

/** Deletes rows that `softDelete` has marked. */
export async function purge(context: EraseContext, options: PurgeOptions = {}): Promise<EraseReport> {
  const { column = 'deleted_at', olderThan, value, live, tables, zone, ...rest } = options
  if (olderThan !== undefined && value !== undefined) {
    throw new AfreshError('usage', 'purge: olderThan and value cannot be combined.', {
      next: 'Give one of them.',
    })
  }
  if (live !== undefined && value !== undefined) {
    throw new AfreshError('usage', 'purge: live and value cannot be combined.', {
      next: 'Set the value of marked rows (value), or of the others (live).',
    })
  }
  const marked = { column, olderThan, value, live: live === undefined ? undefined : [live].flat(), zone }
  const wanted = await wantedRows(context, await tablesWith(context, column, tables), marked)
  return eraseRows(context, wanted, rest, { isPurge: true })
}

async function tablesWith(
  context: EraseContext,
  column: string,
  names?: readonly string[],
): Promise<Table[]> {
  const { schema } = context
  const has = (table: Table) => table.columns.some(({ name }) => name === column)
  const named = names && (await Promise.all(names.map((name) => namedTable(context, name))))
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
