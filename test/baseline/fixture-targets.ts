import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { PGlite } from '@electric-sql/pglite'
import { attach, createHarness, existing, type TestDatabase } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import type { ServerAtHand } from '../support/servers.ts'
import type { SqliteHandle } from '../support/sqlite.ts'

export type Files = Readonly<Record<string, string | Buffer>>

export interface Loaded extends AsyncDisposable {
  readonly database: TestDatabase
  /** Runs a statement as the application would. */
  run(sql: string): Promise<void>
  /** The rows of a query, each value as text. */
  rows(sql: string): Promise<(string | null)[][]>
}

export interface LoadOptions {
  readonly schema: string
  /** Files of the baseline, in this order. */
  readonly fixtures?: Files
  /** The set `more`, in this order. */
  readonly more?: Files
}

export interface FixtureTarget {
  readonly dialect: 'postgres' | 'mysql' | 'sqlite'
  open(options: LoadOptions): Promise<Loaded>
}

/** Writes the files below a new folder while `body` runs. */
async function withFiles<T>(files: Files, body: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'afresh-fixtures-'))
  for (const [name, contents] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), contents)
  }
  try {
    return await body(folder)
  } catch (error) {
    rmSync(folder, { recursive: true })
    throw error
  }
}

export function onServer(server: ServerAtHand): FixtureTarget {
  return {
    dialect: server.engine === 'postgres' ? 'postgres' : 'mysql',
    open: ({ schema, fixtures = {}, more = {} }) =>
      withFiles({ ...fixtures, ...more, 'schema/1.sql': schema }, async (cwd) => {
        const harness = await createHarness({
          server: existing(server.url),
          migrate: 'schema/1.sql',
          fixtures: Object.keys(fixtures),
          fixtureSets: { more: Object.keys(more) },
          cwd,
          project: 'fixtures',
          strategy: 'delete',
        })
        const database = await harness.lease()
        return {
          database,
          run: async (sql) => void (await ask({ ...server, url: database.url }, sql)),
          rows: async (sql) => texts(await ask({ ...server, url: database.url }, sql)),
          async [Symbol.asyncDispose]() {
            await harness.close()
            rmSync(cwd, { recursive: true })
          },
        }
      }),
  }
}

interface Handle {
  exec(sql: string): Promise<void>
  query(sql: string): Promise<unknown[]>
  readonly client: object
  close(): Promise<void>
}

/** What would be the baseline is loaded as a set: in this process there is no template. */
function inProcess(dialect: FixtureTarget['dialect'], openHandle: () => Promise<Handle>): FixtureTarget {
  return {
    dialect,
    open: ({ schema, fixtures = {}, more = {} }) =>
      withFiles({ ...fixtures, ...more }, async (folder) => {
        const handle = await openHandle()
        await handle.exec(schema)
        const paths = (files: Files) => Object.keys(files).map((name) => join(folder, name))
        const sets = { base: paths(fixtures), more: paths(more) }
        const database = await attach(handle.client, { fixtureSets: sets })
        if (sets.base.length > 0) await database.load('base')
        return {
          database,
          run: handle.exec,
          rows: async (sql) => texts(await handle.query(sql)),
          async [Symbol.asyncDispose]() {
            await database.release()
            await handle.close()
            rmSync(folder, { recursive: true })
          },
        }
      }),
  }
}

/** All tests share one instance, since starting one takes seconds. */
export function onPglite(instance: () => PGlite): FixtureTarget {
  return inProcess('postgres', async () => {
    const client = instance()
    await client.exec('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
    return {
      client,
      exec: async (sql) => void (await client.exec(sql)),
      query: async (sql) => (await client.exec(sql)).at(-1)?.rows ?? [],
      close: async () => {},
    }
  })
}

export function onSqlite(openHandle: (path: string) => SqliteHandle): FixtureTarget {
  return inProcess('sqlite', async () => {
    const client = openHandle(':memory:')
    client.exec('PRAGMA foreign_keys = ON')
    return {
      client,
      exec: async (sql) => void client.exec(sql),
      query: async (sql) => client.prepare(sql).all(),
      close: async () => void client.close(),
    }
  })
}

function texts(rows: readonly unknown[]): (string | null)[][] {
  return rows.map((row) =>
    Object.values(row as Record<string, unknown>).map((value) => (value === null ? null : String(value))),
  )
}
