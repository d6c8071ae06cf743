import { types } from 'node:util'
import type { Clock, EraseDialect, Zone } from '../engine/erase-dialect.ts'
import { concatenated, joined, type Sql } from '../engine/sql/fragment.ts'
import { AfreshError } from '../errors.ts'
import type { Column, Table } from '../schema/schema.ts'
import type { EraseRequest } from './erase-rows.ts'
import { whyNotNull } from './null-mark.ts'
import type { EraseContext } from './run-transaction.ts'
import { withValues } from './statement.ts'
import { conditionsOf, type Value } from './where.ts'

/** Which rows of a table a purge selects. */
export interface PurgeRequest {
  readonly column: string
  readonly olderThan: number | Date | string | undefined
  readonly value: Value | undefined
  /** What unmarked rows have. */
  readonly live: readonly (Value | null)[] | undefined
  readonly zone: Zone | undefined
}

/** @throws AfreshError `usage` if the stored values do not determine the rows */
export async function wantedRows(
  context: EraseContext,
  tables: readonly Table[],
  marked: PurgeRequest,
): Promise<EraseRequest[]> {
  const { olderThan, value, column: name } = marked
  const syntax = context.engine.erase
  if (value !== undefined) {
    return tables.map((table) => ({ table, conditions: conditionsOf({ [name]: value }, table, syntax) }))
  }
  for (const table of tables) refuseUnclear(table, columnOf(table, name), marked)
  if (olderThan === undefined || typeof olderThan === 'string') {
    const range = olderThan === undefined ? { not: null } : { lt: olderThan }
    return tables.map((table) => ({
      table,
      conditions: [
        joined(
          [...conditionsOf({ [name]: range }, table, syntax), ...notLive(syntax, table, marked)],
          ' AND ',
        ),
      ],
    }))
  }
  // One time for all statements.
  const clock = await syntax.clock(context.connection)
  const time = timeOf(olderThan, clock)
  const wanted: EraseRequest[] = []
  for (const table of tables) {
    const column = columnOf(table, name)
    refuseOtherTypes(syntax, table, column)
    const zone = zoneOf(syntax, table, column, clock, marked.zone)
    const marks = notLive(syntax, table, marked)
    await refuseNoTimes(context, table, column, marks)
    const isBefore = concatenated([syntax.isBefore(column, time, zone)])
    wanted.push({ table, conditions: [joined([isBefore, ...marks], ' AND ')] })
  }
  return wanted
}

/** Throws `AfreshError` (`usage`) if unmarked rows have a value too, and the call does not set which. */
function refuseUnclear(table: Table, column: Column, { live }: PurgeRequest): void {
  if (live !== undefined) return
  const label = `${table.label}.${column.name}`
  const why = whyNotNull(column)
  if (why !== undefined) {
    throw new AfreshError('usage', `purge: ${label} ${why}: which rows are marked?`, {
      next:
        "Set the value that unmarked rows have there: live: '1970-01-01' (--live; several: a list), or what marked ones have: value: true (--value). " +
        `Rows that are old enough, marked or not: erase(table, { ${column.name}: { lt: … } }). Nothing was changed.`,
    })
  }
  if (!/^(bool|tinyint\(1\)|bit(\(1\))?$)/i.test(column.type)) return
  throw new AfreshError('usage', `purge: ${label} is ${column.type}: which rows are marked?`, {
    next: 'Set the value: value: true (--value). Nothing was changed.',
  })
}

/** Conditions: the row has no value of `live`. */
function notLive(syntax: EraseDialect, table: Table, { column, live = [] }: PurgeRequest): Sql[] {
  return live.flatMap((value) => {
    const also = syntax.dates === undefined ? undefined : asDate(value)
    return [value, ...(also === undefined ? [] : [also])].flatMap((not) =>
      conditionsOf({ [column]: { not } }, table, syntax),
    )
  })
}

/** A time in a text, for engines without a type for times: '1970-01-01' and '1970-01-01 00:00' are the same. */
function asDate(value: Value | null): Date | undefined {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d/.test(value)) return undefined
  const text = value.replace(' ', 'T')
  const date = new Date(text.length === 10 || /(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`)
  return Number.isNaN(date.getTime()) ? undefined : date
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

/**
 * Throws `AfreshError` (`usage`): a server may find any number, and any text, smaller than a time, or fail.
 */
function refuseOtherTypes(syntax: EraseDialect, table: Table, column: Column): void {
  if (syntax.isTime(column)) return
  const { name, type } = column
  throw new AfreshError(
    'usage',
    `purge: olderThan: ${table.label}.${name} is ${type}, which is not a time.`,
    {
      next: `Select the old rows yourself: erase(table, { ${name}: { lt: … } }), or olderThan as the column stores it, a string. Nothing was changed.`,
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
      next: "Set what the column holds: zone: 'utc' or zone: 'session' (--zone utc). Nothing was changed.",
    },
  )
}

/** Throws `AfreshError` (`usage`) for values that are no times: they would silently stay forever. */
async function refuseNoTimes(
  { engine, connection }: EraseContext,
  table: Table,
  column: Column,
  marks: readonly Sql[],
): Promise<void> {
  const { isNoTime, ident, table: nameOf } = engine.erase
  if (isNoTime === undefined) return
  const { sql, values } = withValues(
    engine.erase,
    concatenated([
      `SELECT count(*) AS n, CAST(min(${ident(column.name)}) AS TEXT) AS one FROM ${nameOf(table)} WHERE `,
      joined([concatenated([isNoTime(column)]), ...marks], ' AND '),
    ]),
  )
  const [row] = await connection.query(sql, values)
  if (Number(row?.n ?? 0) === 0) return
  throw new AfreshError(
    'usage',
    `purge: olderThan: ${row?.n} rows of ${table.label} have an invalid time in ${column.name}, such as ${JSON.stringify(row?.one)}.`,
    { next: 'Select the old rows yourself: erase(table, { column: { lt: … } }). Nothing was changed.' },
  )
}
