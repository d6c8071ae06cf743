import { types } from 'node:util'
import { AfreshError, EraseError, messageOf } from '../../errors.ts'
import type { Table } from '../../schema/schema.ts'
import { boundValue, concatenated, joined, oneOfRows, plainText, type Sql } from '../bound-sql.ts'
import type { EraseSyntax, Rows, Statement } from '../erase.ts'
import { REMEDIES } from '../erase-remedies.ts'
import { type SqliteConnection, sqliteOf } from './connection.ts'
import { nameOf, quoted, rowidOf } from './statements.ts'
import { changing, isLocked, withForeignKeysOff } from './transaction.ts'

export const erase: EraseSyntax = {
  ident: quoted,
  table: nameOf,
  family: nameOf,
  // Without statistics SQLite might begin with the largest table.
  join: 'CROSS JOIN',
  placeholder: () => '?',
  bind(value) {
    if (types.isDate(value)) return undefined
    if (typeof value === 'boolean') return value ? 1n : 0n
    // A driver may bind every number as a real one, and '5.0' is not the text '5'.
    if (Number.isSafeInteger(value)) return BigInt(value as number)
    return types.isUint8Array(value) ? Buffer.from(value) : value
  },
  oneOf: (operand, values) => concatenated([`${operand} IN (`, joined(values.map(boundValue), ', '), ')']),
  oneOfRows,
  maxValues: 30_000,

  identity: (table) => ({ columns: keyOf(table), isUnique: true, isFilled: true }),
  // A copy has neither the collation nor the affinity that decide what a key refers to.
  copiesCompare: false,
  same: (a, b) => `${a} IS ${b}`,
  typed: (expression) => expression,

  reopens: true,
  selectionName: (place) => `temp.${quoted(`afresh:erase:${place}`)}`,
  create({ name, columns, from, unique, isList }) {
    const isRowid = unique > 0 && !from.traits.includes('without-rowid')
    const keys = Array.from({ length: unique }, (_, at) => `c${at}`)
    const parts = [
      ...(isList ? ['n INTEGER PRIMARY KEY'] : []),
      ...columns.map((_, at) => `c${at}${isRowid ? ' INTEGER PRIMARY KEY' : ''}`),
      ...(unique > 0 && !isRowid ? [`UNIQUE (${keys.join(', ')})`] : []),
    ]
    return [`CREATE TABLE ${name} (${parts.join(', ')})`]
  },
  createAs: (name, select) => `CREATE TABLE ${name} AS ${select}`,
  insert({ name, columns }, select, isUnique) {
    const names = columns.map((_, at) => `c${at}`).join(', ')
    return `INSERT ${isUnique ? 'OR IGNORE ' : ''}INTO ${name} (${names}) ${select}`
  },
  filled: undefined,
  byIndex: undefined,
  drop: (name) => `DROP TABLE IF EXISTS ${name}`,

  delete(rows) {
    const { table, from, key } = rows
    if (key !== undefined && isInteger(key.referenced)) {
      // There are fewer rows that are referred to than that refer: only those have to be remembered.
      return `DELETE FROM ${nameOf(table)} WHERE ${key.own} IN (SELECT ${key.theirs} FROM ${from})`
    }
    return `DELETE FROM ${nameOf(table)} WHERE ${plainText(among(rows))}`
  },
  deleteTogether: undefined,
  unchecked: undefined,
  checksNoCycle: true,
  update(rows, set, which) {
    const assignments = set.flatMap(([column, value], at) => [
      `${at === 0 ? '' : ', '}${quoted(column)} = `,
      value,
    ])
    return concatenated([`UPDATE ${nameOf(rows.table)} SET `, ...assignments, ' WHERE ', among(rows, which)])
  },
  defaultOf: ({ columns }, name) => `(${columns.find((column) => column.name === name)?.default ?? 'NULL'})`,
  locked: undefined,
  twin(table, name) {
    const columns = table.columns.map((column) => quoted(column.name))
    return `CREATE TABLE main.${quoted(name)} AS SELECT ${columns.join(', ')} FROM ${nameOf(table)} LIMIT 0`
  },
  // As text, a number is less than any time, and '2026-01-01T…' more than '2026-01-01 …'.
  isOlder: (column, milliseconds) =>
    `datetime(${column}) < datetime('now', '-${milliseconds / 1000} seconds')`,

  session: async (given, { lockTimeoutMs }, body) => {
    const connection = sqliteOf(given)
    const alone = async (statement: Statement): Promise<number> => {
      try {
        return connection.db.run(statement.sql, statement.values)
      } catch (error) {
        if (!isLocked(error)) throw failed(statement, error)
      }
      const [changed = 0] = await changing(connection, lockTimeoutMs, () => run(connection, statement))
      return changed
    }
    return body({
      prepare: async () => {},
      define: async (statement) => void (await alone(statement)),
      alone,
      async dropEmpty(table) {
        const look = { sql: `SELECT count(*) FROM ${table}`, values: [], reads: true }
        const drop = { sql: `DROP TABLE ${table}`, values: [], reads: false }
        await changing(connection, lockTimeoutMs, () => {
          if (run(connection, look)[0] === 0) run(connection, drop)
        })
      },
      async transaction(statements, { keep, cyclic, temporary, watch }) {
        const work = () => {
          for (const [place, statement] of statements.entries()) watch(place, run(connection, statement))
          for (const name of temporary) connection.db.exec(erase.drop(name))
        }
        await changing(
          connection,
          lockTimeoutMs,
          work,
          // Everything that refers to what goes is known here, and nobody else can write.
          cyclic ? (attempt) => withForeignKeysOff(connection.db, attempt) : undefined,
          keep,
        )
      },
    })
  },
}

function keyOf(table: Table): string[] {
  if (table.traits.includes('without-rowid')) return table.primaryKey.map(quoted)
  const rowid = rowidOf(table)
  if (rowid !== undefined) return [rowid]
  throw new AfreshError('usage', `${table.label}: three columns of it hide the rowid of its rows.`, {
    next: 'Rename one of rowid, _rowid_ and oid.',
  })
}

/** It is the rowid: IN compares by the collation of its left side, which decides nothing between integers. */
function isInteger({
  table: { primaryKey, columns, traits },
  column,
}: NonNullable<Rows['key']>['referenced']) {
  const type = columns.find(({ name }) => name === column)?.type
  const isKey = primaryKey.length === 1 && primaryKey[0] === column
  return isKey && !traits.includes('without-rowid') && type?.toUpperCase() === 'INTEGER'
}

/** That a row is one of these. */
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
