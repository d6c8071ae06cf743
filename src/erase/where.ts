import { types } from 'node:util'
import type { EraseDialect } from '../engine/erase-dialect.ts'
import { boundValue, concatenated, joined, type Sql } from '../engine/sql/fragment.ts'
import { AfreshError } from '../errors.ts'
import type { Table } from '../schema/schema.ts'
import { asCondition, isFragment, type SqlFragment } from './sql.ts'

/** A value to compare a column with. It is always bound, never written into the SQL. */
export type Value = string | number | bigint | boolean | Date | Uint8Array

/** All given bounds must hold. As in SQL, NULL is neither less nor greater than, nor unequal to, anything. */
export interface Range {
  readonly gt?: Value
  readonly gte?: Value
  readonly lt?: Value
  readonly lte?: Value
  /** Not this value; `null`: any value, but not NULL. */
  readonly not?: Value | null
}

/** A primary key: its value or, with several columns, their values in the order of the key or by name. */
export type Key = Value | readonly Value[] | Readonly<Record<string, Value>>

/**
 * Which rows. By columns, all of which must match: a value, `null`, a list of both, or a range. By keys:
 * values of the primary key, in its order or by name. Or a condition in SQL. Values are always bound.
 */
export type Where =
  | Readonly<Record<string, Value | null | readonly (Value | null)[] | Range>>
  | readonly Key[]
  | SqlFragment

/**
 * The condition as SQL; several, each for a part of the rows, if it has more values than one statement can
 * take.
 *
 * @throws AfreshError `usage` for a column that the table does not have, a value that cannot be bound, and
 *   for a condition that would select every row by mistake
 */
export function conditionsOf(where: Where, table: Table, syntax: EraseDialect): Sql[] {
  if (isFragment(where)) return [bound(asCondition(where), syntax)]
  if (Array.isArray(where)) return byKeys(where, table, syntax)
  if (!isPlain(where)) {
    throw wrong(`where: ${described(where)} selects no rows.`, 'Give it columns, a list of keys, or sql`…`.')
  }
  const entries = Object.entries(where)
  if (entries.length === 0) {
    throw wrong(
      'where: without any column it would select every row.',
      'Name a column; or, to select every row, write sql`1 = 1`.',
    )
  }
  return byColumns(entries, table, syntax)
}

function byColumns(entries: readonly [string, unknown][], table: Table, syntax: EraseDialect): Sql[] {
  const lists = entries.filter(([, value]) => Array.isArray(value)) as [string, unknown[]][]
  const values = lists.reduce((sum, [, list]) => sum + list.length, entries.length - lists.length)
  if (values <= syntax.maxValues) return [allOf(entries, table, syntax)]
  const [longest] = lists.toSorted(([, a], [, b]) => b.length - a.length)
  const rest = values - (longest?.[1].length ?? 0)
  if (longest === undefined || rest * 2 > syntax.maxValues) {
    throw wrong(
      `where: it has ${values} values, and a statement takes ${syntax.maxValues}.`,
      'Erase in several calls, or put the values into a table and write sql`… IN (SELECT …)`.',
    )
  }
  const [name, list] = longest
  return pieces(list, syntax.maxValues - rest).map((piece) =>
    allOf(
      entries.map(([column, value]) => [column, column === name ? piece : value]),
      table,
      syntax,
    ),
  )
}

function allOf(entries: readonly [string, unknown][], table: Table, syntax: EraseDialect): Sql {
  const parts = entries.map(([name, value]) => byColumn(columnOf(table, name, syntax), name, value, syntax))
  return joined(parts, ' AND ')
}

function byColumn(column: string, name: string, value: unknown, syntax: EraseDialect): Sql {
  if (value === null) return concatenated([`${column} IS NULL`])
  if (Array.isArray(value)) return byList(column, name, value, syntax)
  if (isPlain(value)) return byRange(column, name, value, syntax)
  return compared(column, '=', value, name, syntax)
}

/** An engine without a type for times compares both sides as times. */
function compared(column: string, operator: string, value: unknown, name: string, syntax: EraseDialect): Sql {
  const { dates } = syntax
  if (dates === undefined || !types.isDate(value) || Number.isNaN(value.getTime())) {
    return concatenated([`${column} ${operator} `, scalar(value, name, syntax)])
  }
  // The date may be of another realm.
  return concatenated([`${dates.column(column)} ${operator} ${dates.value(new Date(value))}`])
}

function byList(column: string, name: string, list: readonly unknown[], syntax: EraseDialect): Sql {
  const values = list.filter((value) => value !== null).map((value) => checked(value, name, syntax))
  const parts = values.length === 0 ? [] : [syntax.oneOf(column, values)]
  if (values.length < list.length) parts.push(concatenated([`${column} IS NULL`]))
  if (parts.length === 0) return concatenated(['1 = 0'])
  return parts.length === 1 ? joined(parts, '') : concatenated(['(', joined(parts, ' OR '), ')'])
}

const OPERATORS: Readonly<Record<string, string>> = { gt: '>', gte: '>=', lt: '<', lte: '<=', not: '<>' }

function byRange(column: string, name: string, range: object, syntax: EraseDialect): Sql {
  const parts = Object.entries(range).map(([key, value]) => {
    const operator = OPERATORS[key]
    if (operator === undefined) {
      throw wrong(
        `where.${name}: there is no "${key}".`,
        `A range has ${Object.keys(OPERATORS).join(', ')}; for anything else there is sql\`…\`.`,
      )
    }
    if (key === 'not' && value === null) return concatenated([`${column} IS NOT NULL`])
    return compared(column, operator, value, `${name}.${key}`, syntax)
  })
  if (parts.length === 0)
    throw wrong(`where.${name}: the range has no bound.`, 'Give it gt, gte, lt, lte or not.')
  return joined(parts, ' AND ')
}

function byKeys(keys: readonly unknown[], table: Table, syntax: EraseDialect): Sql[] {
  const { label, columns: own } = table
  // No condition can name a hidden column that the server adds to the key.
  const primaryKey = table.primaryKey.filter((name) => own.some((column) => column.name === name))
  if (keys.length === 0) return [concatenated(['1 = 0'])]
  const named = keys.every(isPlain)
  const names = named ? Object.keys(keys[0] as object) : primaryKey
  if (names.length === 0) {
    throw wrong(
      `where: ${label} has no primary key that a list of keys could be of.`,
      'Name the columns: [{ column: value }, …].',
    )
  }
  const columns = names.map((name) => columnOf(table, name, syntax))
  const rows = keys.map((key, position) => {
    const values = named ? namedKey(key as object, names, position) : plainKey(key, names, position)
    return values.map((value, index) => checked(value, `[${position}].${names[index]}`, syntax))
  })
  const [column = ''] = columns
  if (columns.length === 1) {
    return pieces(rows.flat(), syntax.maxValues).map((piece) => syntax.oneOf(column, piece))
  }
  return pieces(rows, Math.floor(syntax.maxValues / columns.length)).map((piece) => {
    return syntax.oneOfRows(columns, piece)
  })
}

function namedKey(key: object, names: readonly string[], index: number): unknown[] {
  const own = Object.keys(key)
  if (own.length === names.length && names.every((name) => Object.hasOwn(key, name))) {
    return names.map((name) => Reflect.get(key, name))
  }
  throw wrong(
    `where[${index}]: it has ${own.join(', ') || 'no columns'}, and the first key has ${names.join(', ')}.`,
    'Give every key the same columns.',
  )
}

function plainKey(key: unknown, names: readonly string[], index: number): unknown[] {
  const values: unknown[] = Array.isArray(key) ? key : [key]
  if (values.length === names.length) return values
  throw wrong(
    `where[${index}]: the key has ${values.length} values, and the primary key is (${names.join(', ')}).`,
    `Write each key as [${names.join(', ')}], or by name.`,
  )
}

function columnOf(table: Table, name: string, syntax: EraseDialect): string {
  if (table.columns.some((column) => column.name === name)) return syntax.ident(name)
  throw wrong(
    `where: ${table.label} has no column ${JSON.stringify(name)}.`,
    `It has ${table.columns.map((column) => column.name).join(', ')}.`,
  )
}

function bound({ texts, values }: Sql, syntax: EraseDialect): Sql {
  return { texts, values: values.map((value, index) => checked(value, `value ${index + 1}`, syntax, true)) }
}

function scalar(value: unknown, name: string, syntax: EraseDialect): Sql {
  return boundValue(checked(value, name, syntax))
}

/** `mayBeNull`: in the user's own SQL, where NULL has its SQL meaning. */
function checked(value: unknown, name: string, syntax: EraseDialect, mayBeNull = false): unknown {
  if (value === null && mayBeNull) return null
  if (value === undefined) {
    throw wrong(`where: ${name} is undefined.`, 'Leave the column out, or write null for NULL.')
  }
  const isUsable =
    ['string', 'bigint', 'boolean'].includes(typeof value) ||
    (typeof value === 'number' && Number.isFinite(value)) ||
    (types.isDate(value) && !Number.isNaN(value.getTime())) ||
    types.isUint8Array(value)
  const given = isUsable ? syntax.bind(value) : undefined
  if (given !== undefined) return given
  throw wrong(
    `where: ${name} is ${described(value)}, which cannot be compared with a column.`,
    'Give it a text, a number, a boolean, a date or bytes, as the column stores it.',
  )
}

function described(value: unknown): string {
  if (value === null) return 'null'
  if (types.isDate(value)) return Number.isNaN(value.getTime()) ? 'an invalid date' : 'a date'
  if (typeof value === 'number') return String(value)
  return typeof value === 'object' ? (Array.isArray(value) ? 'a list' : 'an object') : `a ${typeof value}`
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}

function pieces<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  )
}

function wrong(message: string, next: string): AfreshError {
  return new AfreshError('usage', message, { next })
}
