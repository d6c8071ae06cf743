import { once } from '../../../util/once.ts'
import { type ConnectionQueue, connectionQueue } from '../../transaction/connection-queue.ts'
import {
  type Ending,
  isObject,
  replaced,
  type Transaction,
  type TransactionOptions,
} from '../../transaction/transaction.ts'
import { beginMysql, type MysqlCore } from './client.ts'

interface PooledCore extends MysqlCore {
  release(): void
  destroy(): void
}

type OnConnection = (error: unknown, connection?: PooledCore) => void

/** The part of mysql2's pool that every call passes through: promises, callbacks, `pool.query`. */
export interface MysqlPool {
  getConnection(done: OnConnection): void
  query(...args: unknown[]): unknown
  execute(...args: unknown[]): unknown
  end(done?: (error?: unknown) => void): void
}

/** mysql2's pool, or the one that its promise API wraps. */
export function mysqlPoolOf(pool: unknown): MysqlPool | undefined {
  if (!isObject(pool)) return undefined
  return [pool.pool, pool].find(isPool)
}

function isPool(value: unknown): value is MysqlPool {
  return (
    isObject(value) &&
    typeof value.promise === 'function' &&
    typeof value.getConnection === 'function' &&
    isObject(value.config) &&
    'connectionConfig' in value.config
  )
}

/** Takes one connection out of the pool; until the end, the pool hands out only this one. */
export async function beginMysqlPool(pool: MysqlPool, options: TransactionOptions): Promise<Transaction> {
  const core = await new Promise<PooledCore>((resolve, reject) => {
    pool.getConnection((error, found) => (found === undefined ? reject(error) : resolve(found)))
  })
  let transaction: Transaction
  try {
    transaction = await beginMysql(core, options)
  } catch (error) {
    core.release()
    throw error
  }
  return new SerializedPool(pool, core, transaction, options)
}

/** Lends the one connection to one part of the test at a time, until `end`. */
class SerializedPool implements Transaction {
  readonly #pool: MysqlPool
  readonly #core: PooledCore
  readonly #transaction: Transaction
  readonly #queue: ConnectionQueue
  /** Give the pool its own functions back. */
  readonly #restore: readonly (() => void)[]
  /** Give back those by which the connection is released. */
  readonly #restoreRelease: readonly (() => void)[]
  /** Whether `pool.query` or `pool.execute` is running. Both call `getConnection` synchronously. */
  #isQuery = false
  readonly end = once(() => this.#endOnce())

  constructor(pool: MysqlPool, core: PooledCore, transaction: Transaction, { waitMs }: TransactionOptions) {
    this.#pool = pool
    this.#core = core
    this.#transaction = transaction
    this.#queue = connectionQueue(waitMs)
    const { query, execute } = pool
    this.#restore = [
      replaced(pool, 'getConnection', (done: OnConnection) => this.#getConnection(done)),
      replaced(pool, 'query', (...args: unknown[]) => this.#asQuery(() => query.apply(pool, args))),
      replaced(pool, 'execute', (...args: unknown[]) => this.#asQuery(() => execute.apply(pool, args))),
      replaced(pool, 'end', (done?: (error?: unknown) => void) => this.#endPool(done)),
    ]
    this.#restoreRelease = [
      replaced(core, 'release', () => this.#queue.release()),
      replaced(pool, 'releaseConnection', (connection: PooledCore) => connection.release()),
    ]
  }

  #getConnection(done: OnConnection): void {
    const isQuery = this.#isQuery
    const lend = (error?: unknown) => (error === undefined ? done(null, this.#core) : done(error))
    const grant = isQuery ? lend : (error?: unknown) => process.nextTick(lend, error)
    this.#queue.acquire({ isQuery, grant })
  }

  #asQuery(query: () => unknown): unknown {
    this.#isQuery = true
    try {
      return query()
    } finally {
      this.#isQuery = false
    }
  }

  async #endOnce(): Promise<Ending> {
    for (const putBack of this.#restore) putBack()
    this.#queue.close()
    const ending = await this.#transaction.end()
    for (const putBack of this.#restoreRelease) putBack()
    // Destroys a lost connection, and one that is still checked out: the pool opens another.
    if (ending.lost === undefined && !this.#queue.isOut()) this.#core.release()
    else this.#core.destroy()
    return ending
  }

  /** `pool.end()` alone would leave the connection, which is outside of the pool, with an open transaction. */
  #endPool(done?: (error?: unknown) => void): void {
    void this.end().then(() => this.#pool.end(done))
  }
}
