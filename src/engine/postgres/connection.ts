import type { Client } from 'pg'
import { AfreshError } from '../../errors.ts'
import type { Connection, ConnectOptions, Names, Row } from '../connection.ts'
import { addressOf } from '../peer-address.ts'
import { requireConnected } from '../pg-client.ts'
import { withServerNames } from './catalog.ts'
import { connectError, isFromServer } from './connect-error.ts'
import { withCopyTarget } from './copy-in.ts'
import { isRefusedWithoutTls, ownSettings } from './own-settings.ts'
import { refuseTransactionPooler } from './pooler.ts'
import { runScript } from './script.ts'
import { ownSettingsSql } from './settings.ts'

/**
 * Opens a connection. Throws `AfreshError`: `usage` for an invalid URL or a missing driver,
 * `server` if the server is unreachable or rejects the login.
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Connection> {
  const { Client } = await loadDriver()
  const { timeoutMs = 10_000, names = 'server' } = options
  const given = parsed(url)
  const [first = {}, ...others] = ownSettings(given)
  const open = async (settings: typeof first) => {
    const client = new Client({
      connectionString: given.toString(),
      connectionTimeoutMillis: timeoutMs,
      application_name: options.applicationName ?? 'afresh',
      keepAlive: true,
      ...settings,
    })
    recordEnd(client)
    try {
      await client.connect()
      await refuseTransactionPooler(client)
      await client.query(ownSettingsSql(names))
      return client
    } catch (error) {
      await client.end().catch(() => {})
      throw ends.get(client) ?? error
    }
  }
  try {
    const client = await open(first).catch((error) => {
      const [second] = others
      if (second === undefined || !isRefusedWithoutTls(error)) throw error
      return open(second)
    })
    return ownedBy(client, url, names)
  } catch (error) {
    throw error instanceof AfreshError ? error : connectError(given, error, timeoutMs)
  }
}

/** Why the server ended a session between two queries: the next query of the driver only says that it is ended. */
const ends = new WeakMap<Client, Error>()

/** Without a listener the driver's event would end the process. */
function recordEnd(client: Client): void {
  client.on('error', (error) => {
    if (isFromServer(error) && !ends.has(client)) ends.set(client, error)
  })
}

function ownedBy(client: Client, url: string, names: Names): Connection {
  const over = overPg(client)
  const connection: Connection = {
    ...over,
    url,
    owned: true,
    unref: () => unref(client),
    close: () => client.end(),
    // A script runs with the default settings of its user's sessions, and its own changes to them are reset.
    async script(sql, label) {
      await client.query('RESET ALL')
      await over.script(sql, label)
      await client.query(ownSettingsSql(names))
    },
    async discard() {
      await client.query('DISCARD ALL')
      await client.query(ownSettingsSql(names))
    },
  }
  withCopyTarget(connection, { kind: 'stream', client })
  return names === 'server' ? withServerNames(connection) : connection
}

/** Missing from the types of `pg`. */
function unref(client: Client & { unref?: () => void }): void {
  client.unref?.()
}

/** Wraps a client that the user opened: `pg`'s `Client`, or PGlite. */
export function wrap(client: unknown): Connection | undefined {
  if (isPgClient(client)) {
    requireConnected(client, 'attach')
    const connection: Connection = { ...overPg(client), owned: false, close: async () => {} }
    clients.set(connection, client)
    return withCopyTarget(connection, { kind: 'stream', client })
  }
  if (isPglite(client)) return overPglite(client)
  return undefined
}

const clients = new WeakMap<Connection, Client>()

/** Throws `AfreshError` (`server`) if a user's client is connected through a pooler that shares sessions. */
export async function refuseSharedSession(connection: Connection): Promise<void> {
  const client = clients.get(connection)
  if (client !== undefined) await refuseTransactionPooler(client)
}

async function loadDriver(): Promise<typeof import('pg')['default']> {
  try {
    return (await import('pg')).default
  } catch (cause) {
    throw new AfreshError('usage', 'The PostgreSQL driver `pg` is not installed.', {
      next: 'npm install --save-dev pg',
      cause,
    })
  }
}

function parsed(url: string): URL {
  try {
    return new URL(url)
  } catch {
    // Without the cause, which contains the whole URL with its password.
    throw new AfreshError('usage', 'This is not a PostgreSQL URL.', {
      next: 'Write it as postgres://user:password@host:5432/database, with special characters percent-encoded.',
    })
  }
}

/** Missing from the types of `pg`. */
function streamOf(client: Client & { connection?: { stream?: unknown } }): unknown {
  return client.connection?.stream
}

function overPg(client: Client): Omit<Connection, 'owned' | 'close'> {
  const send = async (sql: string, values?: readonly unknown[]): Promise<unknown> => {
    const result: unknown = await client
      .query(sql, values === undefined ? undefined : [...values])
      .catch((error: unknown) => {
        throw ends.get(client) ?? error
      })
    return Array.isArray(result) ? result.at(-1) : result
  }
  const query = async (sql: string, values?: readonly unknown[]) => rowsOf(await send(sql, values))
  return {
    url: undefined,
    endpoint: { host: client.host, port: client.port, address: addressOf(streamOf(client)) },
    database: client.database ?? '',
    query,
    change: async (sql, values) => numberIn(await send(sql, values), 'rowCount'),
    script: (sql, label) => runScript({ query, client }, sql, label),
  }
}

interface PgliteConnection extends Connection {
  readonly inMemory: boolean
}

/** Whether the database exists only in this process, and ends with it. */
export function isInMemory(connection: Connection | PgliteConnection): boolean {
  return 'inMemory' in connection && connection.inMemory
}

function overPglite(client: Pglite): PgliteConnection {
  const query = async (sql: string, values?: readonly unknown[]): Promise<Row[]> => {
    if (values !== undefined) return rowsOf(await client.query(sql, [...values]))
    return rowsOf((await client.exec(sql)).at(-1))
  }
  const connection: PgliteConnection = {
    url: undefined,
    endpoint: undefined,
    database: 'pglite',
    owned: false,
    inMemory: client.dataDir === undefined || client.dataDir === '' || client.dataDir.startsWith('memory://'),
    query,
    change: async (sql, values = []) => numberIn(await client.query(sql, [...values]), 'affectedRows'),
    script: (sql, label) => runScript({ query, client: undefined }, sql, label),
    close: async () => {},
  }
  return withCopyTarget(connection, {
    kind: 'blob',
    query: (sql, values, options) => client.query(sql, values, options),
  })
}

function rowsOf(result: unknown): Row[] {
  if (typeof result !== 'object' || result === null || !('rows' in result)) return []
  return Array.isArray(result.rows) ? result.rows : []
}

function numberIn(result: unknown, name: string): number {
  return typeof result === 'object' && result !== null ? Number(Reflect.get(result, name) ?? 0) : 0
}

function isPgClient(client: unknown): client is Client {
  return (
    typeof client === 'object' &&
    client !== null &&
    'query' in client &&
    typeof client.query === 'function' &&
    'connection' in client &&
    'processID' in client
  )
}

interface Pglite {
  readonly dataDir?: string
  query(sql: string, values?: unknown[], options?: { readonly blob: Blob }): Promise<unknown>
  exec(sql: string): Promise<unknown[]>
}

/** Checks the shape, so that PGlite need not be installed. */
function isPglite(client: unknown): client is Pglite {
  return (
    typeof client === 'object' &&
    client !== null &&
    'waitReady' in client &&
    'execProtocolRaw' in client &&
    'exec' in client &&
    typeof client.exec === 'function'
  )
}
