import { AfreshError } from '../../errors.ts'
import type { Endpoint, Row } from '../connection.ts'
import { addressOf } from '../peer-address.ts'
import type { Result, Send } from './mysql-connection.ts'

/** Sessions from mysql2's connection or pool, with promises or callbacks. */
export interface Client {
  /** As configured; code that depends on the current database asks the server. */
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
  /** Replaces the driver's own socket. */
  readonly stream?: unknown
  readonly database?: string
  readonly multipleStatements?: boolean
}

/** Recognizes mysql2 by its shape, so that other clients can be rejected without the driver installed. */
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

/** The mark must be checked in the same message as the DELETE: it may change between two messages. */
function oneStatementOnly(): AfreshError {
  return new AfreshError('usage', 'This mysql2 client may send only one statement at a time.', {
    next: 'Create it with `multipleStatements: true`, or give afresh the URL instead of a client.',
  })
}

/** The user's client may be configured to return rows differently. */
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
    // `query` would interpolate the values, with escapes that are wrong under NO_BACKSLASH_ESCAPES.
    const [data, fields] =
      values === undefined
        ? await session.query({ ...PLAIN, sql })
        : await session.execute({ ...PLAIN, sql, values: [...values] })
    // The driver returns a list of field lists for several statements; for one, its fields or undefined.
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
  /** Absent on a pool. */
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
