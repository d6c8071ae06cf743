import mysql from 'mysql2/promise'
import pg from 'pg'
import { engineNamed, open, wrap } from '../../src/engine/registry.ts'
import type { EraseContext } from '../../src/erase/run-transaction.ts'
import type { ReferentialAction } from '../../src/schema/schema.ts'
import { ask } from '../support/ask.ts'
import type { ServerAtHand } from '../support/servers.ts'
import type { SqliteHandle } from '../support/sqlite.ts'
import type { Case, CaseRow, CaseTable, CaseValue } from './random.ts'

/** A database for random cases, written and read by a client independent of afresh. */
export interface EraseTarget extends AsyncDisposable {
  /** The actions that the engine supports. */
  readonly actions: readonly ReferentialAction[]
  /** Whether the engine checks each row separately, and so may refuse what the standard allows. */
  readonly isRowByRow: boolean
  /** Whether the engine's own cascades may leave dangling references. */
  readonly mayOrphan: boolean
  load(given: Case): Promise<void>
  rows(given: Case): Promise<Map<string, CaseRow[]>>
  /** The rows of one table, with its columns as they are in the database. */
  select(table: string): Promise<CaseRow[]>
  run(sql: string): Promise<void>
  context(): Promise<EraseContext>
  quote(name: string): string
}

/** A database on a server, which other sessions can connect to. */
export interface ServerPlace extends EraseTarget {
  readonly url: string
}

const EVERY: readonly ReferentialAction[] = ['no action', 'restrict', 'cascade', 'set null', 'set default']

/** Creates a database for one test. */
async function databaseOn(server: ServerAtHand): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `erase_${process.pid}_${++made}`
  await ask(server, `CREATE DATABASE ${name}`)
  const url = engineNamed(server.engine).databases?.urlOf(server.url, name) ?? ''
  return { url, drop: async () => void (await ask(server, `DROP DATABASE ${name}`)) }
}

let made = 0

interface Dialect {
  readonly quote: (name: string) => string
  /** SQL before and after rows are inserted in any order. */
  readonly unchecked: readonly [string, string]
  readonly clear: string
  /** Whether foreign keys are part of CREATE TABLE. */
  readonly inline: boolean
}

const double = (name: string) => `"${name.replaceAll('"', '""')}"`
const backtick = (name: string) => `\`${name.replaceAll('`', '``')}\``

export async function onPostgres(server: ServerAtHand): Promise<ServerPlace> {
  const { url, drop } = await databaseOn(server)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const dialect: Dialect = {
    quote: double,
    unchecked: ['SET session_replication_role = replica', 'SET session_replication_role = origin'],
    clear: 'DROP SCHEMA public CASCADE; CREATE SCHEMA public',
    inline: false,
  }
  const { engine, connection } = await open(url, { names: 'user' })
  const target = targetOf(dialect, {
    actions: EVERY,
    isRowByRow: false,
    mayOrphan: false,
    run: async (sql) => void (await client.query(sql)),
    select: async (sql) => (await client.query(sql)).rows,
    context: async () => ({
      engine,
      connection,
      schema: await engine.introspect(connection),
      lockTimeoutMs: 2500,
    }),
    async close() {
      await connection.close()
      await client.end()
      await drop()
    },
  })
  return { ...target, url }
}

export async function onMysql(server: ServerAtHand): Promise<ServerPlace> {
  const { url, drop } = await databaseOn(server)
  const client = await mysql.createConnection({ uri: url, multipleStatements: true })
  const { engine, connection } = await open(url, { names: 'user' })
  const database = connection.database
  const dialect: Dialect = {
    quote: backtick,
    unchecked: ['SET foreign_key_checks = 0', 'SET foreign_key_checks = 1'],
    clear: '',
    inline: false,
  }
  const clear = async () => {
    const [found] = await client.query(
      'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ?',
      [database],
    )
    const names = (found as { name: string }[]).map(({ name }) => backtick(name))
    if (names.length > 0)
      await client.query(
        `SET foreign_key_checks = 0; DROP TABLE ${names.join(', ')}; SET foreign_key_checks = 1`,
      )
  }
  const target = targetOf(dialect, {
    actions: EVERY.filter((action) => action !== 'set default'),
    isRowByRow: true,
    mayOrphan: server.engine === 'mysql',
    before: clear,
    run: async (sql) => void (await client.query(sql)),
    select: async (sql) => (await client.query(sql))[0] as CaseRow[],
    context: async () => ({
      engine,
      connection,
      schema: await engine.introspect(connection),
      lockTimeoutMs: 2500,
    }),
    async close() {
      await connection.close()
      await client.end()
      await drop()
    },
  })
  return { ...target, url }
}

export function onSqlite(openHandle: (path: string) => SqliteHandle): EraseTarget {
  let client = openHandle(':memory:')
  const dialect: Dialect = {
    quote: double,
    unchecked: ['PRAGMA foreign_keys = OFF', 'PRAGMA foreign_keys = ON'],
    clear: '',
    inline: true,
  }
  return targetOf(dialect, {
    actions: EVERY,
    isRowByRow: false,
    mayOrphan: false,
    async before() {
      client.close()
      client = openHandle(':memory:')
    },
    run: async (sql) => void client.exec(sql),
    select: async (sql) => client.prepare(sql).all() as CaseRow[],
    async context() {
      const { engine, connection } = await wrap(client)
      return { engine, connection, schema: await engine.introspect(connection), lockTimeoutMs: 2500 }
    },
    close: async () => void client.close(),
  })
}

interface Access {
  readonly actions: EraseTarget['actions']
  readonly isRowByRow: boolean
  readonly mayOrphan: boolean
  before?(): Promise<void>
  run(sql: string): Promise<void>
  select(sql: string): Promise<CaseRow[]>
  context(): Promise<EraseContext>
  close(): Promise<void>
}

function targetOf(dialect: Dialect, access: Access): EraseTarget {
  const { quote } = dialect
  return {
    actions: access.actions,
    isRowByRow: access.isRowByRow,
    mayOrphan: access.mayOrphan,
    quote,
    run: access.run,
    context: access.context,
    async load(given) {
      await access.before?.()
      await access.run(scriptOf(given, dialect))
    },
    async rows(given) {
      const found = new Map<string, CaseRow[]>()
      for (const { name } of given.tables)
        found.set(name, await access.select(`SELECT * FROM ${quote(name)}`))
      return found
    },
    select: (table) => access.select(`SELECT * FROM ${quote(table)}`),
    [Symbol.asyncDispose]: access.close,
  }
}

function scriptOf({ tables, keys, rows }: Case, { quote, unchecked, clear, inline }: Dialect): string {
  const list = (names: readonly string[]) => names.map(quote).join(', ')
  const constraint = (key: Case['keys'][number]) =>
    `CONSTRAINT ${quote(key.name)} FOREIGN KEY (${list(key.columns)}) REFERENCES ${quote(key.to)} (${list(key.referenced)}) ON DELETE ${key.onDelete}`
  const create = tables.map((table) => {
    const parts = [
      'v integer',
      'gone integer',
      ...table.columns.map(
        ({ name, type, nullable, fallback }) =>
          `${quote(name)} ${type}${nullable ? '' : ' NOT NULL'}${fallback === undefined ? '' : ` DEFAULT ${fallback}`}`,
      ),
      ...(table.primaryKey.length > 0 ? [`PRIMARY KEY (${list(table.primaryKey)})`] : []),
      ...(table.unique === undefined ? [] : [`UNIQUE (${quote(table.unique)})`]),
      ...(inline ? keys.filter(({ from }) => from === table.name).map(constraint) : []),
    ]
    return `CREATE TABLE ${quote(table.name)} (${parts.join(', ')})`
  })
  const alter = inline ? [] : keys.map((key) => `ALTER TABLE ${quote(key.from)} ADD ${constraint(key)}`)
  const insert = tables.flatMap((table) => insertOf(table, rows.get(table.name) ?? [], quote))
  const [off, on] = unchecked
  return [clear, ...create, ...alter, off, ...insert, on].filter((sql) => sql !== '').join(';\n')
}

function insertOf({ name }: CaseTable, rows: readonly CaseRow[], quote: Dialect['quote']): string[] {
  const [first] = rows
  if (first === undefined) return []
  const columns = Object.keys(first)
  const tuples = rows.map((row) => `(${columns.map((column) => literal(row[column] ?? null)).join(', ')})`)
  return [`INSERT INTO ${quote(name)} (${columns.map(quote).join(', ')}) VALUES ${tuples.join(', ')}`]
}

function literal(value: CaseValue): string {
  if (value === null) return 'NULL'
  return typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`
}
