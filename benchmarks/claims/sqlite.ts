import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client, Row } from '../client.ts'
import { type ClaimContext, openClaimContext } from './claim-context.ts'
import { DIALECTS } from './dialect.ts'

/** The common interface of both drivers. */
interface Handle {
  prepare(sql: string): Statement
  close(): unknown
}

interface Statement {
  /** better-sqlite3: whether the statement returns rows. Otherwise `all` throws. */
  readonly reader?: boolean
  all(): Row[]
  run(): unknown
}

type Driver = new (path: string) => Handle

const DRIVERS = {
  'better-sqlite3': () => createRequire(import.meta.url)('better-sqlite3') as Driver,
  'node:sqlite': () => {
    const builtin: unknown = process.getBuiltinModule('node:sqlite')
    return (builtin as { DatabaseSync: Driver } | undefined)?.DatabaseSync
  },
} satisfies Record<string, () => Driver | undefined>

export type SqliteKind = keyof typeof DRIVERS

export function isSqliteKind(id: string): id is SqliteKind {
  return id in DRIVERS
}

/** The available drivers. */
export const sqliteKinds = (Object.keys(DRIVERS) as SqliteKind[]).filter((kind) => {
  try {
    void open(kind, ':memory:').close()
    return true
  } catch {
    return false
  }
})

export async function sqliteVersion(kind: SqliteKind): Promise<string> {
  const client = open(kind, ':memory:')
  const [row] = await client.run('SELECT sqlite_version() AS version')
  await client.close()
  return String(row?.version)
}

/** A database in its own file. */
export function openOnSqlite(kind: SqliteKind): Promise<ClaimContext> {
  const folder = mkdtempSync(join(tmpdir(), 'afresh-claims-'))
  const connect = async () => {
    const client = open(kind, join(folder, 'claims.db'))
    // Durability is off, as on the servers.
    await client.run('PRAGMA synchronous = OFF')
    return client
  }
  return openClaimContext(DIALECTS.sqlite, connect, async () => rmSync(folder, { recursive: true }))
}

/** Accepts one statement at a time. */
function open(kind: SqliteKind, path: string): Client {
  const Driver = DRIVERS[kind]()
  if (Driver === undefined) throw new Error(`Node ${process.version} has no ${kind}`)
  const handle = new Driver(path)
  return {
    async run(sql) {
      const statement = handle.prepare(sql)
      if (statement.reader !== false) return statement.all()
      statement.run()
      return []
    },
    async close() {
      handle.close()
    },
  }
}
