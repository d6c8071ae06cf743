import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectToServer } from '../client.ts'
import { startBenchServer, urlOf } from '../servers.ts'
import { sqliteUrl, sqliteVersion } from './connect.ts'
import type { ServerFacts } from './results.ts'
import type { EngineName } from './way.ts'

const DATABASE = 'bench_erase'

/** Where databases are created: a server, or a folder. */
export interface Site extends AsyncDisposable {
  readonly facts: ServerFacts
  readonly engine: EngineName
  /** Creates an empty database, which replaces the previous one. */
  database(): Promise<string>
}

export function siteOf(id: string): Promise<Site> {
  return id === 'sqlite' ? sqliteSite() : serverSite(id)
}

async function serverSite(id: string): Promise<Site> {
  const { title, version, running } = await startBenchServer(id)
  const admin = await connectToServer(running.url)
  return {
    facts: { id, title, version },
    engine: running.engine,
    async database() {
      await admin.run(
        `DROP DATABASE IF EXISTS ${DATABASE}${running.engine === 'postgres' ? ' WITH (FORCE)' : ''}`,
      )
      await admin.run(`CREATE DATABASE ${DATABASE}`)
      return urlOf(running.url, DATABASE)
    },
    async [Symbol.asyncDispose]() {
      await admin.close()
      await running.stop()
    },
  }
}

async function sqliteSite(): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'afresh-bench-erase-'))
  const file = join(folder, 'erase.db')
  const version = sqliteVersion()
  return {
    facts: { id: 'sqlite', title: `SQLite ${version} (better-sqlite3, a file)`, version },
    engine: 'sqlite',
    async database() {
      for (const name of [file, `${file}-journal`]) rmSync(name, { force: true })
      return sqliteUrl(file)
    },
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true })
    },
  }
}
