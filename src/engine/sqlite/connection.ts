import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AfreshError, messageOf } from '../../errors.ts'
import type { Connection, Row } from '../connection.ts'
import { splitScript } from '../sql/script.ts'
import { type Database, type Handle, isHandle, over } from './driver.ts'

export interface SqliteConnection extends Connection {
  readonly db: Database
  /** The absolute path; `undefined` for databases in memory and for temporary files. */
  readonly file: string | undefined
}

/**
 * Opens the file that `sqlite:PATH`, `file:PATH` or a path names, which must exist; `sqlite::memory:` needs
 * no file. Throws `AfreshError`: `usage` if no driver is available, `server` if the file is missing or not a
 * database.
 */
export async function connect(url: string): Promise<Connection> {
  const path = pathOf(url)
  if (path !== MEMORY && !existsSync(path)) {
    throw new AfreshError('server', `There is no database file ${path}.`, {
      next: 'Correct the path, or let your migrations create the file first.',
    })
  }
  const handle = await open(path)
  try {
    return connectionOver(handle, { url, owned: true })
  } catch (cause) {
    handle.close()
    throw new AfreshError('server', `${path} cannot be read as a SQLite database: ${messageOf(cause)}.`, {
      next: 'Name a SQLite database file.',
      cause,
    })
  }
}

/** Wraps a handle of the user's: `node:sqlite` or `better-sqlite3`. */
export function wrap(client: unknown): Connection | undefined {
  return isHandle(client) ? connectionOver(client, { url: undefined, owned: false }) : undefined
}

/**
 * Returns the connection with its handle. Throws for a connection of another engine, which is a programming
 * error.
 */
export function sqliteOf(connection: Connection): SqliteConnection {
  if (!('db' in connection)) throw new Error('not a connection of the SQLite engine')
  return connection as SqliteConnection
}

const MEMORY = ':memory:'

/** The absolute path of the file that a URL names, or `:memory:`. */
export function pathOf(url: string): string {
  if (/^file:\/\//i.test(url)) return fileURLToPath(url)
  const path = url.replace(/^(sqlite:(\/\/)?|file:)/i, '')
  return path === MEMORY ? MEMORY : resolve(path)
}

/** Uses `node:sqlite` if Node has it, otherwise `better-sqlite3`. */
async function open(path: string): Promise<Handle> {
  // Loaded at run time: Node 20 has no such module, and bundlers must not try to resolve it.
  const builtin: unknown = process.getBuiltinModule('node:sqlite')
  if (builtin !== undefined) {
    const { DatabaseSync } = builtin as { DatabaseSync: new (path: string) => Handle }
    return new DatabaseSync(path)
  }
  let driver: typeof import('better-sqlite3')
  try {
    driver = (await import('better-sqlite3')).default
  } catch (cause) {
    throw new AfreshError(
      'usage',
      `No SQLite driver is available: Node ${process.version} has no node:sqlite.`,
      {
        next: 'Use Node 22.13 or later, or: npm install --save-dev better-sqlite3',
        cause,
      },
    )
  }
  return new driver(path)
}

function connectionOver(handle: Handle, from: { url: string | undefined; owned: boolean }): SqliteConnection {
  const db = over(handle)
  const [main] = db.all(`SELECT file FROM pragma_database_list WHERE name = 'main'`)
  const file = typeof main?.file === 'string' && main.file !== '' ? main.file : undefined
  return {
    ...from,
    db,
    file,
    endpoint: undefined,
    database: file ?? MEMORY,
    query: async (sql, values) => runAll(db, sql, values).map(plain),
    change: async (sql, values) => db.run(sql, values),
    script: async (sql, label) => runScript(db, sql, label),
    close: async () => {
      if (from.owned) db.close()
    },
  }
}

function runAll(db: Database, sql: string, values: readonly unknown[] | undefined): Row[] {
  if (values !== undefined) return db.all(sql, values)
  // Split here: `node:sqlite` would silently prepare only the first of several statements.
  let rows: Row[] = []
  for (const statement of splitScript(sql, 'sqlite')) rows = db.all(statement.sql)
  return rows
}

/** Converts integers to numbers if a number can represent them. */
function plain(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value,
    ]),
  )
}

function runScript(db: Database, text: string, label: string): void {
  const wasInTransaction = inTransaction(db)
  for (const { sql, line } of splitScript(text, 'sqlite')) {
    try {
      db.all(sql)
    } catch (cause) {
      if (!wasInTransaction && inTransaction(db)) db.exec('ROLLBACK')
      const excerpt = sql.length > 200 ? `${sql.slice(0, 200)}…` : sql
      throw new AfreshError('baseline', `${label}:${line}: ${messageOf(cause)}\n  statement: ${excerpt}`, {
        next: 'Correct the statement; the ones before it stay done unless the file opened a transaction.',
        cause,
      })
    }
  }
}

/** Asks SQLite itself, since `node:sqlite` has a property for it only from Node 22.16 on. */
function inTransaction(db: Database): boolean {
  try {
    db.exec('BEGIN')
  } catch (error) {
    if (isNestedBegin(error)) return true
    throw error
  }
  db.exec('ROLLBACK')
  return false
}

export function isNestedBegin(error: unknown): boolean {
  return messageOf(error).includes('within a transaction')
}
