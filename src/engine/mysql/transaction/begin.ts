/**
 * In: a client or pool of the user.
 * Out: a transaction around one test on it.
 * Called by `engine/mysql/index.ts`, for strategy `rollback`.
 */
import type { Transaction, TransactionOptions } from '../../transaction/transaction.ts'
import { beginMysql, mysqlCoreOf } from './client.ts'
import { beginMysqlPool, mysqlPoolOf } from './pool.ts'

export function begin(client: unknown, options: TransactionOptions): Promise<Transaction> | undefined {
  const pool = mysqlPoolOf(client)
  if (pool !== undefined) return beginMysqlPool(pool, options)
  const core = mysqlCoreOf(client)
  return core && beginMysql(core, options)
}
