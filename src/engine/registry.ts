/**
 * In: a name or a URL.
 * Out: the engine.
 * Called by every part that has no engine yet.
 */
import { AfreshError } from '../errors.ts'
import type { FileBench } from './bench-dialect.ts'
import type { Connection, ConnectOptions } from './connection.ts'
import type { Engine } from './engine.ts'
import type { EngineServer } from './engine-server.ts'
import { protocolOf } from './environment.ts'
import { mariadb } from './mariadb/index.ts'
import { server as mariadbServer } from './mariadb/server.ts'
import { mysql } from './mysql/index.ts'
import { server as mysqlServer } from './mysql/server.ts'
import { postgres } from './postgres/index.ts'
import { server as postgresServer } from './postgres/server.ts'
import { canonicalUrl } from './socket-url.ts'
import { sqlite } from './sqlite/index.ts'
import type { Transaction, TransactionOptions } from './transaction/transaction.ts'

/** All engines. Only `clients.ts`, for test workers, lists them too. They load their drivers when they connect. */
const ENGINES: readonly Engine[] = [postgres, mysql, mariadb, sqlite]

/** The engines that have servers. */
export const SERVERS = {
  postgres: postgresServer,
  mysql: mysqlServer,
  mariadb: mariadbServer,
} as const satisfies Readonly<Record<string, EngineServer>>

export type ServerEngine = keyof typeof SERVERS

/** The engine of the embedded server, and of projects that show no preference. */
export const DEFAULT_ENGINE = 'postgres' satisfies ServerEngine

export const SERVER_ENGINES = Object.keys(SERVERS) as readonly ServerEngine[]

/** Finds the engine whose server has this name. */
export function engineWith(
  name: string,
  namesOf: (server: EngineServer) => readonly string[],
): ServerEngine | undefined {
  return SERVER_ENGINES.find((engine) => namesOf(SERVERS[engine]).includes(name))
}

export interface Opened {
  readonly engine: Engine
  readonly connection: Connection
}

/** Throws for an unknown name, which is a programming error. */
export function engineNamed(name: string): Engine {
  const engine = ENGINES.find((candidate) => candidate.name === name)
  if (engine === undefined) throw new Error(`no engine is called ${name}`)
  return engine
}

/** The engine of this name, if its databases are files. */
export function fileEngineNamed(
  name: string,
): { readonly engine: Engine; readonly file: FileBench } | undefined {
  const engine = ENGINES.find((candidate) => candidate.name === name)
  return engine?.bench.file && { engine, file: engine.bench.file }
}

/**
 * Connects to the database of a URL. The server decides between engines that share a protocol: a `mysql:` URL
 * may point to MariaDB.
 *
 * @throws AfreshError `usage` for a URL of no engine, `server` if the connection fails
 */
export async function open(given: string, options?: ConnectOptions): Promise<Opened> {
  const url = canonicalUrl(given)
  const [first, ...others] = ENGINES.filter(({ protocols }) => protocols.includes(schemeOf(url)))
  if (first === undefined) throw unknownUrl()
  const connection = await first.connect(url, options)
  for (const engine of [first, ...others]) {
    if (await engine.isServerOf(connection)) return { engine, connection }
  }
  await connection.close()
  throw new AfreshError('server', 'The server behind the URL is not one that afresh supports.', {
    next: 'Use PostgreSQL 15+, MySQL 8+, MariaDB 10.11+ or SQLite.',
  })
}

/**
 * Wraps a client that the user opened.
 *
 * @throws AfreshError `usage` if no engine recognizes the client
 */
export async function wrap(client: unknown): Promise<Opened> {
  for (const engine of ENGINES) {
    const connection = engine.wrap(client)
    if (connection !== undefined && (await engine.isServerOf(connection))) return { engine, connection }
  }
  throw new AfreshError('usage', 'This is neither a URL nor a client that afresh supports.', {
    next: 'Give it a URL, a connected pg Client, a mysql2 connection, a PGlite, node:sqlite or better-sqlite3 database.',
  })
}

function schemeOf(url: string): string {
  return protocolOf(url) ?? (/\.(db|sqlite3?)$/i.test(url) ? 'sqlite' : '')
}

function unknownUrl(): AfreshError {
  const protocols = [...new Set(ENGINES.flatMap((engine) => engine.protocols))].map((name) => `${name}:`)
  // The URL may contain a password, so the message omits it.
  return new AfreshError('usage', 'The URL begins with no protocol that afresh supports.', {
    next: `It supports ${protocols.join(', ')}; for example postgres://user:password@localhost:5432/postgres.`,
  })
}

/**
 * Opens a transaction on a user's client and intercepts the client until the transaction ends.
 *
 * @throws AfreshError `usage` for a client that no engine recognizes, that is connected to another database
 * or is inside a transaction
 */
export async function beginOn(client: unknown, options: TransactionOptions): Promise<Transaction> {
  for (const engine of ENGINES) {
    const begun = engine.begin?.(client, options)
    if (begun !== undefined) return begun
  }
  throw new AfreshError('usage', 'begin: this is not a client that afresh can open a transaction on.', {
    next: 'Give it a connected Client or a Pool of `pg`, or a connection or pool of `mysql2`.',
  })
}
