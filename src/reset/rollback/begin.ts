import { AfreshError } from '../../errors.ts'
import { beginMysql, mysqlCoreOf } from './mysql2.ts'
import { beginMysqlPool, mysqlPoolOf } from './mysql2-pool.ts'
import { beginPg, isPgClient } from './pg.ts'
import { beginPgPool, isPgPool } from './pg-pool.ts'
import type { Transaction, TransactionOptions } from './transaction.ts'

/**
 * Opens a transaction on a client of the user's and takes it over, until the end.
 *
 * @throws AfreshError `usage` for a client that is none of these, is connected elsewhere or is in a transaction
 */
export async function beginOn(client: unknown, options: TransactionOptions): Promise<Transaction> {
  if (isPgClient(client)) return beginPg(client, options)
  if (isPgPool(client)) return beginPgPool(client, options)
  const pool = mysqlPoolOf(client)
  if (pool !== undefined) return beginMysqlPool(pool, options)
  const core = mysqlCoreOf(client)
  if (core !== undefined) return beginMysql(core, options)
  throw new AfreshError('usage', 'begin: this is no client that a transaction can be put around.', {
    next: 'Give it a connected Client or a Pool of `pg`, or a connection or pool of `mysql2`.',
  })
}
