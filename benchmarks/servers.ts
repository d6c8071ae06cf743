import {
  container,
  embedded,
  type RunningServer,
  type ServerSpec,
  startServer,
} from '../src/server/server.ts'
import { connect } from './client.ts'

/** `embedded:18` or an image. */
export type ServerId = string

export interface BenchServer {
  readonly id: ServerId
  /** The name in output: `PostgreSQL 18.4 in a container (postgres:18)`. */
  readonly title: string
  readonly version: string
  readonly running: RunningServer
}

export const ALL_SERVERS: readonly ServerId[] = ['postgres:18', 'embedded:18', 'mysql:9.7', 'mariadb:11.8']

export function specOf(id: ServerId): ServerSpec {
  const [name, version] = id.split(':')
  if (name === 'embedded') return version === undefined ? embedded() : embedded({ version })
  return container(id)
}

/** Starts a server with afresh's own settings for disposable data: durability off, data in memory. */
export async function startBenchServer(id: ServerId): Promise<BenchServer> {
  return describeServer(id, await startServer(specOf(id)))
}

export async function describeServer(id: ServerId, running: RunningServer): Promise<BenchServer> {
  const client = await connect(running.url)
  try {
    const isPostgres = running.engine === 'postgres'
    const [row] = await client.run(isPostgres ? 'SHOW server_version' : 'SELECT VERSION() AS version')
    const version = String(Object.values(row ?? {})[0])
    return { id, title: running.title, version, running }
  } finally {
    await client.close()
  }
}

/** The URL of another database on the same server. */
export function urlOf(url: string, database: string): string {
  const other = new URL(url)
  other.pathname = `/${database}`
  return other.toString()
}
