import { AfreshError } from '../../errors.ts'
import type { Endpoint, Row } from '../connection.ts'
import { addressOf } from '../peer-address.ts'
import type { Result, Send } from './mysql-connection.ts'

/** mysql2's connection or pool, whichever flavour: sessions to be had from it. */
export interface Client {
  /** As it was configured; the server is asked wherever it matters. */
  readonly database: string
  readonly endpoint: Endpoint
  acquire(): Promise<{ readonly send: Send; release(): void }>
}

interface Queryable {
  query(options: Readonly<Record<string, unknown>>): Promise<[unknown, unknown]>
  execute(options: Readonly<Record<string, unknown>>): Promise<[unknown, unknown]>
}

interface PooledQueryable extends Queryable {
  release(): void
}

interface PoolLike {
  getConnection(): Promise<PooledQueryable>
}

interface Config {
  readonly host?: string
  readonly port?: number
  readonly socketPath?: string
  /** Instead of a socket of its own. */
  readonly stream?: unknown
  readonly database?: string
  readonly multipleStatements?: boolean
}

/** By its shape, so that the driver need not be installed to find out that something else is no mysql2. */
export function clientOf(client: unknown): Client | undefined {
  if (!isObject(client)) return undefined
  const inner = [client.connection, client.pool].find(isCore)
  const core = inner ?? (isCore(client) ? client : undefined)
  if (core === undefined) return undefined
  const promised = inner === undefined ? core.promise() : client
  const pool = isObject(core.config.connectionConfig)
  const config: Config = isObject(core.config.connectionConfig) ? core.config.connectionConfig : core.config
  return {
    database: config.database ?? '',
    endpoint: {
      host: config.socketPath || config.host || 'localhost',
      port: config.port ?? 3306,
      address: addressOf(pool ? config.stream : core.stream),
    },
    async acquire() {
      if (config.multipleStatements !== true) throw oneStatementOnly()
      if (pool) {
        const session = await (promised as PoolLike).getConnection()
        return { send: sender(session), release: () => session.release() }
      }
      return { send: sender(promised as Queryable), release: () => {} }
    },
  }
}

/** A mark that is checked in another message than the DELETE is checked too early. */
function oneStatementOnly(): AfreshError {
  return new AfreshError('usage', 'This mysql2 client may send only one statement at a time.', {
    next: 'Create it with `multipleStatements: true`, or give afresh the URL instead of a client.',
  })
}

/** The user's client may have been told to return rows in other ways. */
const PLAIN = {
  supportBigNumbers: true,
  bigNumberStrings: true,
  dateStrings: true,
  rowsAsArray: false,
  nestTables: false,
  namedPlaceholders: false,
  typeCast: true,
}

function sender(session: Queryable): Send {
  return async (sql, values) => {
    // `query` would write the values into the text, which only holds as long as backslashes escape.
    const [data, fields] =
      values === undefined
        ? await session.query({ ...PLAIN, sql })
        : await session.execute({ ...PLAIN, sql, values: [...values] })
    // Of several statements the driver gives a list of each; of one, the list of fields or nothing.
    const isList = Array.isArray(fields) && (fields[0] === undefined || Array.isArray(fields[0]))
    return isList && Array.isArray(data) ? data.map(resultOf) : [resultOf(data)]
  }
}

function resultOf(data: unknown): Result {
  if (Array.isArray(data)) return { rows: data as Row[], affected: 0 }
  return { rows: [], affected: isObject(data) ? Number(data.affectedRows ?? 0) : 0 }
}

interface Core {
  readonly config: Config & { readonly connectionConfig?: Config }
  /** Not of a pool. */
  readonly stream?: unknown
  promise(): unknown
}

function isCore(value: unknown): value is Core {
  return (
    isObject(value) &&
    typeof value.promise === 'function' &&
    typeof value.query === 'function' &&
    isObject(value.config) &&
    ('connectionConfig' in value.config || 'clientFlags' in value.config)
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
