/**
 * SQLite handles as users open them, with the drivers that this Node has. The output names a missing driver:
 * `describeSqlite(({ open }) => { … })`.
 */
import { createRequire } from 'node:module'
import { describe } from 'vitest'

export type SqliteKind = 'better-sqlite3' | 'node:sqlite'

/** What the tests need of a handle, under either driver. */
export interface SqliteHandle {
  exec(sql: string): unknown
  prepare(sql: string): { all(...values: unknown[]): unknown[]; iterate(): Iterator<unknown> }
  close(): unknown
}

type Open = (path: string) => SqliteHandle

const OPENERS: Readonly<Record<SqliteKind, () => Open>> = {
  'better-sqlite3': () => {
    const Driver = createRequire(import.meta.url)('better-sqlite3') as new (path: string) => SqliteHandle
    const open: Open = (path) => new Driver(path)
    open(':memory:').close()
    return open
  },
  'node:sqlite': () => {
    const builtin: unknown = process.getBuiltinModule('node:sqlite')
    if (builtin === undefined) throw new Error(`Node ${process.version} has no node:sqlite`)
    const { DatabaseSync } = builtin as { DatabaseSync: new (path: string) => SqliteHandle }
    return (path) => new DatabaseSync(path)
  },
}

const sqliteKinds = Object.keys(OPENERS) as SqliteKind[]

/** Opens handles of this kind, or gives the reason why that is impossible. */
function sqliteOpener(kind: SqliteKind): Open | { missing: string } {
  try {
    return OPENERS[kind]()
  } catch (error) {
    return { missing: (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '' }
  }
}

/** A handle of each available driver. */
export function openSqlite(path = ':memory:'): { client: SqliteHandle; kind: SqliteKind }[] {
  return sqliteKinds.flatMap((kind) => {
    const open = sqliteOpener(kind)
    return 'missing' in open ? [] : [{ client: open(path), kind }]
  })
}

/** Declares tests for each driver. They are skipped by name, with the reason, if the driver is missing. */
export function describeSqlite(body: (driver: { kind: SqliteKind; open: Open }) => void): void {
  for (const kind of sqliteKinds) {
    const open = sqliteOpener(kind)
    if ('missing' in open) {
      describe.skip(`NOT RUN: ${kind} (${open.missing})`, () =>
        body({
          kind,
          open: () => {
            throw new Error(open.missing)
          },
        }))
    } else {
      describe(kind, () => body({ kind, open }))
    }
  }
}
