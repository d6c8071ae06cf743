import { beginMysql, type MysqlCore } from './mysql2.ts'
import { type Ending, isObject, replaced, type Transaction, type TransactionOptions } from './transaction.ts'
import { turns } from './turns.ts'

interface PooledCore extends MysqlCore {
  release(): void
  destroy(): void
}

type OnConnection = (error: unknown, connection?: PooledCore) => void

/** As much of mysql2's pool as everything goes through: promises, callbacks, `pool.query`. */
export interface MysqlPool {
  getConnection(done: OnConnection): void
  end(done?: (error?: unknown) => void): void
}

/** mysql2's pool, or what its promises are wrapped around. */
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

/** Takes one connection out of the pool, which from then on lends no other. */
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
  const { take, giveBack } = turns(options.waitMs)
  let isLent = false
  const end = async (): Promise<Ending> => {
    for (const putBack of restore) putBack()
    const ending = await transaction.end()
    // One that was lost may be in any state: the pool is to make another.
    if (ending.lost === undefined) core.release()
    else core.destroy()
    return ending
  }
  let ended: Promise<Ending> | undefined
  const once = () => {
    ended ??= end()
    return ended
  }

  const release = () => {
    if (!isLent) return
    isLent = false
    giveBack()
  }
  const getConnection = (done: OnConnection) => {
    take().then(
      () => {
        isLent = true
        done(null, core)
      },
      (error: unknown) => done(error),
    )
  }
  // It would leave the connection that is kept out of it with an open transaction.
  const endPool = (done?: (error?: unknown) => void) => {
    void once().then(() => pool.end(done))
  }
  const restore = [
    replaced(core, 'release', release),
    replaced(pool, 'releaseConnection', (connection: PooledCore) => connection.release()),
    replaced(pool, 'getConnection', getConnection),
    replaced(pool, 'end', endPool),
  ]
  return { end: once }
}
