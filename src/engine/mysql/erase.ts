import { types } from 'node:util'
import type { Table } from '../../schema/schema.ts'
import type { EraseDialect, Identity } from '../erase-dialect.ts'
import { boundValue, concatenated, joined, oneOfRows } from '../sql/fragment.ts'
import { session } from './erase-session.ts'
import { ident } from './quote.ts'

export const erase: EraseDialect = {
  ident,
  table: ({ name }) => ident(name),
  tableWithInheritors: ({ name }) => ident(name),
  // From selected to referring rows, which always have an index. DELETE has no hash joins.
  join: 'STRAIGHT_JOIN',
  placeholder: () => '?',
  bind(value) {
    // The server compares digits as the type of the column; the driver would bind a floating-point number.
    if (typeof value === 'bigint' || Number.isSafeInteger(value)) return String(value)
    if (typeof value === 'boolean') return value ? 1 : 0
    // The driver recognizes dates by their class, which differs in another realm.
    if (types.isDate(value)) return new Date(value)
    return types.isUint8Array(value) ? Buffer.from(value) : value
  },
  oneOf: (operand, values) => concatenated([`${operand} IN (`, joined(values.map(boundValue), ', '), ')']),
  oneOfRows,
  maxValues: 30_000,

  identity,
  copiesCompare: true,
  // Texts are compared by their bytes: in a collation 'a' may equal 'A'.
  nullSafeEquals: (a, b) => `${a} <=> ${b} AND CAST(${a} AS BINARY) <=> CAST(${b} AS BINARY)`,
  cast: (expression) => expression,

  // MySQL: "Can't reopen table" (https://dev.mysql.com/doc/refman/9.0/en/temporary-table-problems.html).
  canReferenceTempTableTwice: false,
  selectionName: (name) => ident(`afresh_erase_${name}`),
  create({ name, columns, from, unique, isList }) {
    const chosen = columns.map((column, index) => `r.${column} AS c${index}`).join(', ')
    const keys = Array.from({ length: unique }, (_, index) => `c${index}`)
    // Every table has a primary key: the server may require one.
    const key = unique > 0 && !isList ? `PRIMARY KEY (${keys.join(', ')})` : COUNTER
    return [
      `CREATE TEMPORARY TABLE ${name} (${key}) AS SELECT ${chosen} FROM ${ident(from.name)} AS r LIMIT 0`,
    ]
  },
  createAs: (name, select) => `CREATE TEMPORARY TABLE ${name} (${COUNTER}) AS ${select}`,
  insert({ name, columns }, select, isUnique, isOurs = false) {
    const names = columns.map((_, index) => `c${index}`).join(', ')
    // IGNORE hides errors of the user's condition: MariaDB then reads a subquery of several rows as NULL.
    const ignore = isUnique && isOurs ? 'IGNORE ' : ''
    const same = isUnique && !isOurs ? ` ON DUPLICATE KEY UPDATE ${name}.c0 = ${name}.c0` : ''
    return `INSERT ${ignore}INTO ${name} (${names}) ${select}${same}`
  },
  analyze: undefined,
  byIndex: undefined,
  byKey: undefined,
  drop: (name) => `DROP TEMPORARY TABLE IF EXISTS ${name}`,

  // Not IN: MariaDB before 11.1 would read every row of the table.
  delete: ({ table, from, on }) => `DELETE r FROM ${from} STRAIGHT_JOIN ${ident(table.name)} AS r ON ${on}`,
  deleteTogether: undefined,
  // InnoDB checks row by row: it cannot delete a cycle, and a tree only from the leaves up.
  foreignKeyChecksOff: { before: 'SET foreign_key_checks = 0', after: 'SET foreign_key_checks = 1' },
  checksNoCycle: false,
  update({ table, from, on }, set, which) {
    const assignments = set.flatMap(([column, value], index) => [
      `${index === 0 ? '' : ', '}r.${ident(column)} = `,
      value,
    ])
    return concatenated([
      `UPDATE ${from} STRAIGHT_JOIN ${ident(table.name)} AS r ON ${on}`,
      ...(which === undefined ? [] : [' AND ', which]),
      ' SET ',
      ...assignments,
    ])
  },
  defaultOf: () => 'DEFAULT',
  // Not LOCK IN SHARE MODE: two sessions that share a lock on a row and both delete it would deadlock.
  locking: {
    suffix: ' FOR UPDATE',
    count: { before: 'SELECT count(*) AS n0 FROM ', after: ' FOR UPDATE' },
    before: () => undefined,
  },
  createLike(table, name) {
    const columns = table.columns.map((column) => ident(column.name))
    return `CREATE TABLE ${ident(name)} AS SELECT ${columns.join(', ')} FROM ${ident(table.name)} LIMIT 0`
  },
  dates: undefined,
  async kindOf(connection, name) {
    const [row] = await connection.query(
      "SELECT table_type AS kind FROM information_schema.tables WHERE table_schema = DATABASE() AND ? IN (table_name, CONCAT(table_schema, '.', table_name))",
      [name],
    )
    const kind = String(row?.kind)
    return /VIEW/.test(kind) ? 'a view' : kind === 'SEQUENCE' ? 'a sequence' : undefined
  },
  async clock(connection) {
    const [row] = await connection.query(
      `SELECT FLOOR(UNIX_TIMESTAMP(NOW(6)) * 1000) AS now, IF(@@time_zone = 'SYSTEM', @@system_time_zone, @@time_zone) AS zone, UNIX_TIMESTAMP('2026-01-01') = 1767225600 AND UNIX_TIMESTAMP('2026-07-01') = 1782864000 AS utc`,
    )
    return { now: new Date(Number(row?.now)), zone: Number(row?.utc) === 1 ? undefined : String(row?.zone) }
  },
  hasZone: ({ type }) => /^timestamp/i.test(type),
  isTime: ({ type }) => /^(timestamp|date(time)?)\b/i.test(type),
  isBefore(column, time, zone) {
    const isUtc = zone === 'utc' && !/^timestamp/i.test(column.type)
    const instant = isUtc
      ? `TIMESTAMP'1970-01-01 00:00:00' + INTERVAL ${time.getTime() * 1000} MICROSECOND`
      : `FROM_UNIXTIME(${time.getTime() / 1000})`
    // A day is over when the next one begins.
    return `${ident(column.name)} < ${/^date$/i.test(column.type) ? `DATE(${instant})` : instant}`
  },
  isNoTime: undefined,
  timeOf: (time) => `FROM_UNIXTIME(${Math.floor(time.getTime() / 1000)})`,

  session,
}

const COUNTER = 'n BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY'

/** Without a primary key, equal rows cannot be distinguished: an erase deletes or keeps all of them. */
function identity({ primaryKey: declared, columns }: Table): Identity {
  // MariaDB adds the hidden row end to the key of a system-versioned table: the same for all current rows.
  const primaryKey = declared.filter((name) => columns.some((column) => column.name === name))
  if (primaryKey.length === 0) {
    const stored = columns.filter(({ generated }) => !generated)
    return { columns: stored.map(({ name }) => ident(name)), isUnique: false, isFilled: false }
  }
  const types = columns.filter(({ name }) => primaryKey.includes(name)).map(({ type }) => type)
  return {
    columns: primaryKey.map(ident),
    // Only a prefix of these types can be indexed.
    isUnique: !types.some((type) => /text|blob/i.test(type)),
    isFilled: true,
  }
}
