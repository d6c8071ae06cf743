import { concatenated } from '../engine/bound-sql.ts'
import { AfreshError } from '../errors.ts'
import { type Table, tableOf } from '../schema/schema.ts'
import { type EraseOptions, tableNamed } from './options.ts'
import type { EraseReport } from './report.ts'
import { eraseRows, type Wanted } from './run.ts'
import type { Ground } from './transact.ts'
import { isTwin } from './twins.ts'
import { conditionsOf, type Value, type Where } from './where.ts'

export async function erase(
  ground: Ground,
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

export interface PurgeOptions extends Omit<EraseOptions, 'softDelete'> {
  /** What `softDelete` marked. Default `deleted_at`. */
  readonly column?: string
  /** Only what was marked earlier: so many milliseconds ago by the server's clock, or before this time. */
  readonly olderThan?: number | Date | string
  /** Only what was marked with this value. */
  readonly value?: Value
  /** Only in these tables. Default: in every one that has the column. */
  readonly tables?: readonly string[]
}

/** Deletes what `softDelete` has marked. */
export async function purge(ground: Ground, options: PurgeOptions = {}): Promise<EraseReport> {
  const { column = 'deleted_at', olderThan, value, tables, ...rest } = options
  if (olderThan !== undefined && value !== undefined) {
    throw new AfreshError('usage', 'purge: olderThan is about times, value about everything else.', {
      next: 'Give one of them.',
    })
  }
  const wanted = tablesWith(ground, column, tables).map(
    (table): Wanted => ({
      table,
      conditions: conditionsFor(ground, table, { column, olderThan, value }),
    }),
  )
  return eraseRows(ground, wanted, rest, { isPurge: true })
}

function conditionsFor(
  { engine: { erase: syntax } }: Ground,
  table: Table,
  {
    column,
    olderThan,
    value,
  }: { column: string; olderThan: PurgeOptions['olderThan']; value: Value | undefined },
): Wanted['conditions'] {
  if (value !== undefined) return conditionsOf({ [column]: value }, table, syntax)
  if (typeof olderThan === 'number') {
    if (!Number.isFinite(olderThan) || olderThan < 0) {
      throw new AfreshError('usage', `purge: olderThan: ${olderThan} is no number of milliseconds.`, {
        next: 'Write 30 days as 30 * 24 * 3600 * 1000.',
      })
    }
    refuseNumbers(table, column)
    return [concatenated([syntax.isOlder(syntax.ident(column), Math.round(olderThan))])]
  }
  if (olderThan !== undefined) return conditionsOf({ [column]: { lt: olderThan } }, table, syntax)
  const { nullable = false } = table.columns.find(({ name }) => name === column) ?? {}
  if (nullable) return conditionsOf({ [column]: { not: null } }, table, syntax)
  throw new AfreshError('usage', `purge: ${table.label}.${column} is never NULL: which rows are marked?`, {
    next: 'Say by which value (value: true), or how old (olderThan).',
  })
}

/** Throws `AfreshError` (`usage`): a server may compare a number with a time, and find it less whatever it counts. */
function refuseNumbers(table: Table, column: string): void {
  const { type = '' } = table.columns.find(({ name }) => name === column) ?? {}
  if (!/int(?!erval)|real|float|double|numeric|decimal|bool|^bit/i.test(type)) return
  throw new AfreshError('usage', `purge: olderThan: ${table.label}.${column} is ${type}, which is no time.`, {
    next: 'Say what is old enough yourself: erase(table, { column: { lt: … } }).',
  })
}

function tablesWith({ schema }: Ground, column: string, names: readonly string[] | undefined): Table[] {
  const has = (table: Table) => table.columns.some(({ name }) => name === column)
  const named = names?.map((name) => tableNamed(schema, name))
  const lacking = named?.filter((table) => !has(table)) ?? []
  const isHeir = ({ inherits }: Table) => inherits.some((id) => has(tableOf(schema, id)))
  const found = (named ?? schema.tables.filter((table) => !isHeir(table) && !isTwin(schema, table))).filter(
    (table) => has(table) && !table.traits.includes('materialized'),
  )
  if (lacking.length === 0 && found.length > 0) return found
  const where = lacking.length > 0 ? lacking.map(({ label }) => label).join(', ') : 'no table'
  throw new AfreshError(
    'usage',
    `purge: ${lacking.length > 0 ? `${where} has no` : 'no table has a'} column ${JSON.stringify(column)}.`,
    { next: 'Name the column that softDelete was given.' },
  )
}
