import type { Connection as DriverConnection } from 'mysql2/promise'
import { AfreshError } from '../../errors.ts'
import type { Connection, ConnectOptions, Row } from '../engine.ts'
import { mariadbFlavor } from '../mariadb/flavor.ts'
import { type Client, clientOf } from './client.ts'
import { connectError } from './connect-error.ts'
import { type Flavor, isMariaDb, mysqlFlavor } from './flavor.ts'
import { runScript } from './script.ts'
import { parseUrl } from './url.ts'

/** What one statement gave: rows, or the number of rows that it changed. */
export interface Result {
  readonly rows: Row[]
  readonly affected: number
}

/** One message of one or more statements: one round trip. */
export type Send = (sql: string, values?: readonly unknown[]) => Promise<Result[]>

export interface MysqlConnection extends Connection {
  /** Runs `body` on one and the same session, also where a pool lies underneath. */
  pinned<T>(body: (send: Send) => Promise<T>): Promise<T>
}

/**
 * Opens a connection of afresh's own. Throws `AfreshError`: `usage` for a URL that is none or a missing driver,
 * `server` when nobody answers or lets us in.
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Connection> {
  const settings = parseUrl(url)
  const driver = await loadDriver()
  const timeoutMs = options.timeoutMs ?? 10_000
  try {
    const client = await driver.createConnection({
      ...settings,
      multipleStatements: true,
      connectTimeout: timeoutMs,
      // The driver asks for IGNORE_SPACE, which no other client does: it makes function names reserved words.
      flags: ['-IGNORE_SPACE'],
      connectAttributes: { program_name: options.applicationName ?? 'afresh' },
    })
    // A server that goes away between two queries reports here; without a listener it would end the process.
    client.on('error', () => {})
    const end = () => client.end().catch(() => client.destroy())
    return overClient(clientOf(client) ?? unknownDriver(), {
      url,
      database: settings.database ?? '',
      owned: true,
      unref: () => unref(client),
      close: end,
      // As the server's own client would: what a script sets ends with its session, and locks of ours do not.
      script: async (sql, label) => {
        const own = await connect(url, options)
        try {
          await runScript(mysqlConnection(own), sql, label)
        } finally {
          await own.close()
        }
      },
    })
  } catch (error) {
    throw connectError(settings, error, timeoutMs)
  }
}

/** The types of `mysql2` do not know of it. */
function unref(client: DriverConnection & { connection?: { stream?: { unref?(): void } } }): void {
  client.connection?.stream?.unref?.()
}

/** A connection over a client that the user opened: mysql2's connection or pool, with promises or callbacks. */
export function wrap(client: unknown): Connection | undefined {
  const found = clientOf(client)
  if (found === undefined) return undefined
  const connection: MysqlConnection = overClient(found, {
    url: undefined,
    database: found.database,
    owned: false,
    close: async () => {},
    script: (sql, label) => runScript(connection, sql, label),
  })
  return connection
}

const known = new WeakSet<Connection>()

/** The connection as this engine made it. Throws when it is another engine's: a programming error. */
export function mysqlConnection(connection: Connection): MysqlConnection {
  if (!known.has(connection)) throw new TypeError('not a connection of MySQL or MariaDB')
  return connection as MysqlConnection
}

const flavors = new WeakMap<Connection, Promise<Flavor>>()

/** Which of the two is at the other end. */
export function flavorOf(connection: Connection): Promise<Flavor> {
  const found =
    flavors.get(connection) ??
    connection
      .query('SELECT VERSION() AS version')
      .then(([row]) => (isMariaDb(String(row?.version)) ? mariadbFlavor : mysqlFlavor))
  flavors.set(connection, found)
  return found
}

function overClient(
  client: Client,
  rest: Pick<Connection, 'url' | 'database' | 'owned' | 'unref' | 'close' | 'script'>,
): MysqlConnection {
  const pinned: MysqlConnection['pinned'] = async (body) => {
    const session = await client.acquire()
    try {
      return await body(session.send)
    } finally {
      session.release()
    }
  }
  const connection: MysqlConnection = {
    ...rest,
    endpoint: client.endpoint,
    pinned,
    query: (sql, values) => pinned(async (send) => (await send(sql, values)).at(-1)?.rows ?? []),
    change: (sql, values) => pinned(async (send) => (await send(sql, values)).at(-1)?.affected ?? 0),
  }
  known.add(connection)
  return connection
}

async function loadDriver(): Promise<typeof import('mysql2/promise')> {
  try {
    return await import('mysql2/promise')
  } catch (cause) {
    throw new AfreshError('usage', 'The driver of MySQL and MariaDB, `mysql2`, is not installed.', {
      next: 'npm install --save-dev mysql2',
      cause,
    })
  }
}

function unknownDriver(): never {
  throw new AfreshError('usage', 'This version of the driver `mysql2` is not known to afresh.', {
    next: 'npm install --save-dev mysql2@3',
  })
}
