import { types } from 'node:util'
import { AfreshError, EraseError, messageOf } from '../../errors.ts'
import type { Table } from '../../schema/schema.ts'
import { REMEDIES } from '../erase-advice.ts'
import type { EraseDialect, Rows, Statement } from '../erase-dialect.ts'
import { asUnproven, isUnproven } from '../erase-proof.ts'
import { boundValue, concatenated, joined, oneOfRows, plainText, type Sql } from '../sql/fragment.ts'
import { type SqliteConnection, sqliteOf } from './connection.ts'
import { nameOf, quoted, rowidOf } from './statements.ts'
import { inWriteTransaction, isLocked, withForeignKeysOff } from './transaction.ts'

export const erase: EraseDialect = {
  ident: quoted,
  table: nameOf,
  tableWithInheritors: nameOf,
  // Without statistics, SQLite might begin with the largest table.
  join: 'CROSS JOIN',
  placeholder: () => '?',
  bind(value) {
    if (types.isDate(value)) return undefined
    if (typeof value === 'boolean') return value ? 1n : 0n
    // A driver may bind every number as REAL, and '5.0' is not the text '5'.
    if (Number.isSafeInteger(value)) return BigInt(value as number)
    return types.isUint8Array(value) ? Buffer.from(value) : value
  },
  oneOf: (operand, values) => concatenated([`${operand} IN (`, joined(values.map(boundValue), ', '), ')']),
  oneOfRows,
  maxValues: 30_000,

  identity: (table) => ({ columns: keyOf(table), isUnique: true, isFilled: true }),
  // A copy lacks the collation and affinity that decide which row a key references.
  copiesCompare: false,
  nullSafeEquals: (a, b) => `${a} IS ${b}`,
  cast: (expression) => expression,

  canReferenceTempTableTwice: true,
  selectionName: (name) => `temp.${quoted(`afresh:erase:${name}`)}`,
  create({ name, columns, from, unique, isList }) {
    const isRowid = unique > 0 && !from.traits.includes('without-rowid')
    const keys = Array.from({ length: unique }, (_, index) => `c${index}`)
    const parts = [
      ...(isList ? ['n INTEGER PRIMARY KEY'] : []),
      ...columns.map((_, index) => `c${index}${isRowid ? ' INTEGER PRIMARY KEY' : ''}`),
      ...(unique > 0 && !isRowid ? [`UNIQUE (${keys.join(', ')})`] : []),
    ]
    return [`CREATE TABLE ${name} (${parts.join(', ')})`]
  },
  createAs: (name, select) => `CREATE TABLE ${name} AS ${select}`,
  insert({ name, columns }, select, isUnique) {
    const names = columns.map((_, index) => `c${index}`).join(', ')
    return `INSERT ${isUnique ? 'OR IGNORE ' : ''}INTO ${name} (${names}) ${select}`
  },
  analyze: undefined,
  byIndex: undefined,
  byKey: undefined,
  drop: (name) => `DROP TABLE IF EXISTS ${name}`,

  delete(rows) {
    const { table, from, key } = rows
    if (key !== undefined && isInteger(key.referenced)) {
      // There are fewer referenced rows than referencing ones, so the subquery selects the referenced ones.
      return `DELETE FROM ${nameOf(table)} WHERE ${key.own} IN (SELECT ${key.theirs} FROM ${from})`
    }
    return `DELETE FROM ${nameOf(table)} WHERE ${plainText(among(rows))}`
  },
  deleteTogether: undefined,
  foreignKeyChecksOff: undefined,
  checksNoCycle: true,
  update(rows, set, which) {
    const assignments = set.flatMap(([column, value], index) => [
      `${index === 0 ? '' : ', '}${quoted(column)} = `,
      value,
    ])
    return concatenated([`UPDATE ${nameOf(rows.table)} SET `, ...assignments, ' WHERE ', among(rows, which)])
  },
  defaultOf: ({ columns }, name) => `(${columns.find((column) => column.name === name)?.default ?? 'NULL'})`,
  locking: undefined,
  createLike(table, name) {
    const columns = table.columns.map((column) => quoted(column.name))
    return `CREATE TABLE main.${quoted(name)} AS SELECT ${columns.join(', ')} FROM ${nameOf(table)} LIMIT 0`
  },
  dates: { column: dayOf, value: (date) => dayAt(date) },
  async kindOf(connection, name) {
    const [row] = await connection.query(
      `SELECT type FROM main.sqlite_master WHERE ? IN (name COLLATE NOCASE, 'main.' || name) AND type <> 'table'
       UNION ALL SELECT 'temporary ' || type FROM temp.sqlite_master WHERE ? IN (name COLLATE NOCASE, 'temp.' || name)`,
      [name, name],
    )
    return row === undefined ? undefined : `${/^i/.test(String(row.type)) ? 'an' : 'a'} ${String(row.type)}`
  },
  clock: async () => ({ now: new Date(), zone: undefined }),
  hasZone: () => true,
  isTime: ({ type }) => !/int(?!erval)|real|float|double|numeric|decimal|bool|^bit/i.test(type),
  isBefore({ name }, time) {
    const day = dayOf(quoted(name))
    // A day without a time is over when the next one begins.
    const isOver = `${day} + 1 <= ${dayAt(time)}`
    return `CASE WHEN ${quoted(name)} GLOB '${DATE}' THEN ${isOver} ELSE ${day} < ${dayAt(time)} END`
  },
  isNoTime: ({ name }) => `${quoted(name)} IS NOT NULL AND ${dayOf(quoted(name))} IS NULL`,
  timeOf: (time) => `datetime(${Math.floor(time.getTime() / 1000)}, 'unixepoch')`,

  session: async (given, { lockTimeoutMs, proof }, body) => {
    const connection = sqliteOf(given)
    const { db } = connection
    const prove = () => {
      try {
        if (typeof proof === 'function') proof()
        else if (typeof proof === 'string') db.exec(proof)
      } catch (error) {
        throw asUnproven(error)
      }
    }
    const alone = async (statement: Statement): Promise<number> => {
      try {
        return proof === undefined ? db.run(statement.sql, statement.values) : nested(db, prove, statement)
      } catch (error) {
        if (isUnproven(error)) throw error
        if (!isLocked(error)) throw failed(statement, error)
      }
      const [changed = 0] = await inWriteTransaction(connection, lockTimeoutMs, () => {
        prove()
        return run(connection, statement)
      })
      return changed
    }
    return body({
      prepare: async () => {},
      // No other session can write.
      isolation: async () => 'snapshot',
      define: async (statement) => void (await alone(statement)),
      alone,
      discard: async (selection) => void db.exec(erase.drop(selection)),
      async dropEmpty(table) {
        const rowCount = { sql: `SELECT count(*) FROM ${table}`, values: [], reads: true }
        const drop = { sql: `DROP TABLE ${table}`, values: [], reads: false }
        await inWriteTransaction(connection, lockTimeoutMs, () => {
          prove()
          if (run(connection, rowCount)[0] === 0) run(connection, drop)
        })
      },
      async transaction(statements, { keep, cyclic, temporary, watch }) {
        const work = () => {
          prove()
          for (const [index, statement] of statements.entries()) watch(index, run(connection, statement))
          for (const name of temporary) db.exec(erase.drop(name))
        }
        await inWriteTransaction(
          connection,
          lockTimeoutMs,
          work,
          // All rows that reference deleted ones are known here, and no other session can write.
          cyclic ? (attempt) => withForeignKeysOff(db, attempt) : undefined,
          keep,
        )
      },
    })
  },
}

const DAY_MS = 86_400_000
/** 1970-01-01 as a Julian day, in milliseconds, computed as SQLite does so that equal times are equal. */
const EPOCH_MS = 210_866_760_000_000

/** A pattern of GLOB. SQLite reads other text as a time too: '12:00' is in 2000, and '2099' a Julian day. */
const DATE = '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'

function dayAt(time: Date): string {
  return String((time.getTime() + EPOCH_MS) / DAY_MS)
}

/**
 * A time as a Julian day. Times may be stored as text, or as a number of milliseconds, seconds or days,
 * distinguished by their size; other values become NULL. Compared as text, a number would be less than any
 * time, and '2026-01-01T…' greater than '2026-01-01 …'.
 */
function dayOf(column: string): string {
  const number = [
    `WHEN abs(${column}) >= 1e11 THEN (${column} + ${EPOCH_MS}) / ${DAY_MS}.0`,
    `WHEN abs(${column}) >= 1e8 THEN (${column} * 1000 + ${EPOCH_MS}) / ${DAY_MS}.0`,
    `WHEN ${column} BETWEEN 1721059.5 AND 5373484.5 THEN ${column}`,
  ]
  const isNumber = `typeof(${column}) IN ('integer', 'real')`
  return `CASE WHEN typeof(${column}) = 'text' THEN CASE WHEN ${column} GLOB '${DATE}*' THEN julianday(${column}) END WHEN ${isNumber} THEN CASE ${number.join(' ')} END END`
}

function keyOf(table: Table): string[] {
  if (table.traits.includes('without-rowid')) return table.primaryKey.map(quoted)
  const rowid = rowidOf(table)
  if (rowid !== undefined) return [rowid]
  throw new AfreshError('usage', `${table.label}: three columns of it hide the rowid of its rows.`, {
    next: 'Rename one of rowid, _rowid_ and oid.',
  })
}

/** Whether the column is the rowid. IN uses the collation of its left side, irrelevant for integers. */
function isInteger({
  table: { primaryKey, columns, traits },
  column,
}: NonNullable<Rows['key']>['referenced']) {
  const type = columns.find(({ name }) => name === column)?.type
  const isKey = primaryKey.length === 1 && primaryKey[0] === column
  return isKey && !traits.includes('without-rowid') && type?.toUpperCase() === 'INTEGER'
}

/** A condition: the row is one of these. */
function among({ table, from, on }: Rows, which?: Sql): Sql {
  const key = keyOf(table)
  const tuple = key.length === 1 ? (key[0] ?? '') : `(${key.join(', ')})`
  const chosen = key.map((column) => `r.${column}`).join(', ')
  return concatenated([
    `${tuple} IN (SELECT ${chosen} FROM ${from} CROSS JOIN ${nameOf(table)} AS r ON ${on}`,
    ...(which === undefined ? [] : [' AND ', which]),
    ')',
  ])
}

/** Runs one statement after its proof, within the handle's open transaction or as its own. */
function nested(db: SqliteConnection['db'], prove: () => void, { sql, values }: Statement): number {
  db.exec('SAVEPOINT afresh_erase')
  try {
    prove()
    const changed = db.run(sql, values)
    db.exec('RELEASE afresh_erase')
    return changed
  } catch (error) {
    db.exec('ROLLBACK TO afresh_erase; RELEASE afresh_erase')
    throw error
  }
}

function run({ db }: SqliteConnection, statement: Statement): number[] {
  try {
    if (!statement.reads) return [db.run(statement.sql, statement.values)]
    return Object.values(db.all(statement.sql, statement.values)[0] ?? {}).map(Number)
  } catch (error) {
    throw failed(statement, error)
  }
}

function failed({ sql }: Statement, cause: unknown): EraseError {
  const isKey = messageOf(cause).includes('FOREIGN KEY constraint failed')
  return new EraseError(sql, cause, {
    next: isKey ? REMEDIES.referred : REMEDIES.other,
  })
}
