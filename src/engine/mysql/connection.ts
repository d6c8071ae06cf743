import type { Connection as DriverConnection } from 'mysql2/promise'
import { AfreshError, withCleanUp } from '../../errors.ts'
import type { Connection, ConnectOptions, ScriptRun } from '../connection.ts'
import { type Client, clientOf } from './client.ts'
import { connectError } from './connect-error.ts'
import { type MysqlConnection, mysqlConnection, register } from './mysql-connection.ts'
import { ownSettingsSql, type SessionKind } from './own-settings.ts'
import { runScript } from './script.ts'
import { checkAgainst } from './script-check.ts'
import { AccountScriptRun, type OpenSession } from './script-run.ts'
import { accountNames } from './script-server-check.ts'
import { asUser, parseUrl } from './url.ts'

/**
 * Opens a connection owned by afresh.
 *
 * @throws AfreshError `usage` for an invalid URL or a missing driver, `server` if the server is unreachable
 *   or refuses the login
 */
export function connect(url: string, options: ConnectOptions = {}): Promise<Connection> {
  return connectFor(options.names ?? 'server', url, options)
}

async function connectFor(kind: SessionKind, url: string, options: ConnectOptions): Promise<Connection> {
  const settings = parseUrl(url)
  const driver = await loadDriver()
  const timeoutMs = options.timeoutMs ?? 10_000
  try {
    const client = await driver.createConnection({
      ...settings,
      multipleStatements: true,
      connectTimeout: timeoutMs,
      // The driver sets IGNORE_SPACE, unlike other clients: it makes function names reserved words.
      flags: ['-IGNORE_SPACE'],
      connectAttributes: { program_name: options.applicationName ?? 'afresh' },
    })
    // Emitted when a connection breaks between two queries; without a listener it ends the process.
    client.on('error', () => {})
    await client.query(ownSettingsSql(kind))
    const end = () => client.end().catch(() => client.destroy())
    const open: OpenSession = async (as, { bytes = false, kind = 'script' } = {}) => {
      const session = await connectFor(kind, as === undefined ? url : asUser(url, as), options)
      if (kind === 'script') await pinEncoding(session, bytes ? BINARY : UTF8MB4)
      return mysqlConnection(session)
    }
    const scripts = (eventsOff = true): ScriptRun => new AccountScriptRun(connection, open, { eventsOff })
    const connection: MysqlConnection = overClient(clientOf(client) ?? unknownDriver(), {
      url,
      database: settings.database ?? '',
      owned: true,
      unref: () => unref(client),
      close: end,
      scripts: () => scripts(),
      async script(sql, label) {
        const all = scripts(false)
        await withCleanUp(
          () => all.run(Buffer.from(sql), label),
          () => all.end(),
        )
      },
    })
    drivers.set(connection, client)
    return connection
  } catch (error) {
    throw connectError(settings, error, timeoutMs)
  }
}

const drivers = new WeakMap<
  Connection,
  DriverConnection & { connection?: { config?: { charsetNumber?: number } } }
>()
/** Ids of character sets and collations. */
const BINARY = 63
const UTF8MB4 = 45

/**
 * Makes the driver send a script as its file has it: each character as one byte, or as UTF-8. The server
 * decodes it by the session's settings. Left alone, the driver follows each SET NAMES, and converts.
 */
async function pinEncoding(connection: Connection, charset: number): Promise<void> {
  const config = drivers.get(connection)?.connection?.config
  if (config === undefined) return unknownDriver()
  Object.defineProperty(config, 'charsetNumber', { get: () => charset, set: () => {} })
  const [row] = await connection.query("SELECT HEX(_binary'\u00e4\u00ff') AS sent")
  if (row?.sent !== (charset === BINARY ? 'E4FF' : 'C3A4C3BF')) unknownDriver()
}

/** The types of `mysql2` do not declare `stream`. */
function unref(client: DriverConnection & { connection?: { stream?: { unref?(): void } } }): void {
  client.connection?.stream?.unref?.()
}

/** A connection over the user's mysql2 connection or pool (promises or callbacks); else `undefined`. */
export function wrap(client: unknown): Connection | undefined {
  const found = clientOf(client)
  if (found === undefined) return undefined
  const connection: MysqlConnection = overClient(found, {
    url: undefined,
    database: found.database,
    owned: false,
    close: async () => {},
    script: (sql, label) =>
      connection.pinned(async (send) =>
        runScript(
          {
            send,
            bytes: false,
            check: await checkAgainst(send),
            confined: undefined,
            accounts: () => accountNames(send),
          },
          sql,
          label,
        ),
      ),
  })
  return connection
}

function overClient(
  client: Client,
  rest: Pick<Connection, 'url' | 'database' | 'owned' | 'unref' | 'close' | 'script' | 'scripts'>,
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
  return register(connection)
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
