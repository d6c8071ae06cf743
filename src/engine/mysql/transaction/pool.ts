import { connectionQueue } from '../../transaction/connection-queue.ts'
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
  return serializedPool(pool, core, transaction, options)
}

function serializedPool(
  pool: MysqlPool,
  core: PooledCore,
  transaction: Transaction,
  { waitMs }: TransactionOptions,
): Transaction {
  const { acquire: take, release: giveBack, close, isOut } = connectionQueue(waitMs)
  let isQuery = false

  const getConnection = (done: OnConnection) => {
    const lend = (error?: unknown) => (error === undefined ? done(null, core) : done(error))
    if (isQuery) take({ isQuery, grant: lend })
    else take({ isQuery, grant: (error) => process.nextTick(lend, error) })
  }
  // Both call `getConnection` synchronously.
  const asQuery = (original: MysqlPool['query']) => {
    return (...args: unknown[]) => {
      isQuery = true
      try {
        return original.apply(pool, args)
      } finally {
        isQuery = false
      }
    }
  }

  const end = async (): Promise<Ending> => {
    for (const putBack of restore) putBack()
    close()
    const ending = await transaction.end()
    for (const putBack of restoreRelease) putBack()
    // Destroys a lost connection, and one that is still checked out: the pool opens another.
    if (ending.lost === undefined && !isOut()) core.release()
    else core.destroy()
    return ending
  }
  let ended: Promise<Ending> | undefined
  const once = () => {
    ended ??= end()
    return ended
  }
  // `pool.end()` alone would leave the connection, which is outside of the pool, with an open transaction.
  const endPool = (done?: (error?: unknown) => void) => {
    void once().then(() => pool.end(done))
  }
  const restore = [
    replaced(pool, 'getConnection', getConnection),
    replaced(pool, 'query', asQuery(pool.query)),
    replaced(pool, 'execute', asQuery(pool.execute)),
    replaced(pool, 'end', endPool),
  ]
  const restoreRelease = [
    replaced(core, 'release', giveBack),
    replaced(pool, 'releaseConnection', (connection: PooledCore) => connection.release()),
  ]
  return { end: once }
}
