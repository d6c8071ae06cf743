import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectToServer } from '../client.ts'
import { sqliteUrl, sqliteVersion } from '../connect.ts'
import { startBenchServer, urlOf } from '../servers.ts'
import type { EngineName } from './method.ts'
import type { ServerInfo } from './results.ts'

const DATABASE = 'bench_erase'

/** Where databases are created: a server, or a folder. */
export interface EraseTarget extends AsyncDisposable {
  readonly server: ServerInfo
  readonly engine: EngineName
  /** Creates an empty database, which replaces the previous one. */
  database(): Promise<string>
}

export function openTarget(id: string): Promise<EraseTarget> {
  return id === 'sqlite' ? sqliteTarget() : serverTarget(id)
}

async function serverTarget(id: string): Promise<EraseTarget> {
  const { title, version, running } = await startBenchServer(id)
  const admin = await connectToServer(running.url)
  return {
    server: { id, title, version },
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

async function sqliteTarget(): Promise<EraseTarget> {
  const folder = mkdtempSync(join(tmpdir(), 'afresh-bench-erase-'))
  const file = join(folder, 'erase.db')
  const version = sqliteVersion()
  return {
    server: { id: 'sqlite', title: `SQLite ${version} (better-sqlite3, a file)`, version },
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
