import { types } from 'node:util'
import type { Clock, EraseDialect, Zone } from '../engine/erase-dialect.ts'
import { concatenated } from '../engine/sql/fragment.ts'
import { AfreshError } from '../errors.ts'
import type { Column, Table } from '../schema/schema.ts'
import type { EraseRequest } from './erase-rows.ts'
import type { EraseContext } from './run-transaction.ts'
import { conditionsOf, type Value } from './where.ts'

/** Which rows of a table a purge selects. */
export interface PurgeRequest {
  readonly column: string
  readonly olderThan: number | Date | string | undefined
  readonly value: Value | undefined
  readonly zone: Zone | undefined
}

/** @throws AfreshError `usage` if the stored values do not determine the rows */
export async function wantedRows(
  context: EraseContext,
  tables: readonly Table[],
  marked: PurgeRequest,
): Promise<EraseRequest[]> {
  const { olderThan } = marked
  const syntax = context.engine.erase
  if (marked.value !== undefined || olderThan === undefined || typeof olderThan === 'string') {
    return tables.map((table) => ({ table, conditions: plainConditions(syntax, table, marked) }))
  }
  // One time for all statements.
  const clock = await syntax.clock(context.connection)
  const time = timeOf(olderThan, clock)
  const wanted: EraseRequest[] = []
  for (const table of tables) {
    const column = columnOf(table, marked.column)
    refuseNumbers(table, column)
    const zone = zoneOf(syntax, table, column, clock, marked.zone)
    await refuseNoTimes(context, table, column)
    wanted.push({ table, conditions: [concatenated([syntax.isBefore(column, time, zone)])] })
  }
  return wanted
}

function plainConditions(
  syntax: EraseDialect,
  table: Table,
  { column, olderThan, value }: PurgeRequest,
): EraseRequest['conditions'] {
  if (value !== undefined) return conditionsOf({ [column]: value }, table, syntax)
  if (typeof olderThan === 'string') return conditionsOf({ [column]: { lt: olderThan } }, table, syntax)
  if (columnOf(table, column).nullable) return conditionsOf({ [column]: { not: null } }, table, syntax)
  throw new AfreshError('usage', `purge: ${table.label}.${column} is never NULL: which rows are marked?`, {
    next: 'Say by which value (value: true), or how old (olderThan).',
  })
}

function timeOf(olderThan: number | Date, { now }: Clock): Date {
  // The date may be of another realm.
  const time = types.isDate(olderThan)
    ? new Date(olderThan)
    : new Date(now.getTime() - Math.round(Number(olderThan)))
  const isAge = types.isDate(olderThan) || olderThan >= 0
  if (isAge && !Number.isNaN(time.getTime())) return time
  throw new AfreshError('usage', `purge: olderThan: ${String(olderThan)} is not a number of milliseconds.`, {
    next: 'Write 30 days as 30 * 24 * 3600 * 1000.',
  })
}

function columnOf(table: Table, name: string): Column {
  const column = table.columns.find((column) => column.name === name)
  if (column === undefined) throw new Error(`${table.label} has no column ${name}`)
  return column
}

/** Throws `AfreshError` (`usage`): a server may find any number smaller than a time, whatever it counts. */
function refuseNumbers(table: Table, { name, type }: Column): void {
  if (!/int(?!erval)|real|float|double|numeric|decimal|bool|^bit/i.test(type)) return
  throw new AfreshError(
    'usage',
    `purge: olderThan: ${table.label}.${name} is ${type}, which is not a time.`,
    {
      next: 'Say what is old enough yourself: erase(table, { column: { lt: … } }).',
    },
  )
}

/** Throws `AfreshError` (`usage`): in the wrong zone, a row marked a minute ago is hours old. */
function zoneOf(
  syntax: EraseDialect,
  table: Table,
  column: Column,
  clock: Clock,
  given: Zone | undefined,
): Zone {
  if (given !== undefined) return given
  if (clock.zone === undefined || syntax.hasZone(column)) return 'session'
  throw new AfreshError(
    'usage',
    `purge: olderThan: ${table.label}.${column.name} is ${column.type}, without a time zone, and the session is in ${clock.zone}: its times may be of that zone, or of UTC.`,
    {
      next: "Say what the column holds: zone: 'utc' or zone: 'session' (--zone utc). Nothing was changed.",
    },
  )
}

/** Throws `AfreshError` (`usage`) for values that are no times: they would silently stay forever. */
async function refuseNoTimes(
  { engine, connection }: EraseContext,
  table: Table,
  column: Column,
): Promise<void> {
  const { isNoTime, ident, table: nameOf } = engine.erase
  if (isNoTime === undefined) return
  const [row] = await connection.query(
    `SELECT count(*) AS n, CAST(min(${ident(column.name)}) AS TEXT) AS one FROM ${nameOf(table)} WHERE ${isNoTime(column)}`,
  )
  if (Number(row?.n ?? 0) === 0) return
  throw new AfreshError(
    'usage',
    `purge: olderThan: ${row?.n} rows of ${table.label} have an invalid time in ${column.name}, such as ${JSON.stringify(row?.one)}.`,
    { next: 'Say what is old enough yourself: erase(table, { column: { lt: … } }). Nothing was changed.' },
  )
}
