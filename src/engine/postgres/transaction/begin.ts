/**
 * In: a client or pool of the user.
 * Out: a transaction around one test on it.
 * Called by `engine/postgres/index.ts`, for strategy `rollback`.
 */
import type { Transaction, TransactionOptions } from '../../transaction/transaction.ts'
import { beginPg, isPgClient } from './client.ts'
import { beginPgPool, isPgPool } from './pool.ts'

export function begin(client: unknown, options: TransactionOptions): Promise<Transaction> | undefined {
  if (isPgClient(client)) return beginPg(client, options)
  return isPgPool(client) ? beginPgPool(client, options) : undefined
}
