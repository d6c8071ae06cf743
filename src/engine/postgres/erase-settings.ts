import { AfreshError, codeOf } from '../../errors.ts'
import type { Connection } from '../connection.ts'

/** The current `lock_timeout` of connections that afresh opened, in milliseconds. */
const lockTimeouts = new WeakMap<Connection, number>()

/**
 * Restores the timeout of a user's client afterwards. In a failed transaction the server rejects every
 * statement.
 */
export async function withLockTimeout<T>(
  connection: Connection,
  lockTimeoutMs: number,
  body: () => Promise<T>,
): Promise<T> {
  if (connection.owned) {
    if (lockTimeouts.get(connection) !== lockTimeoutMs) {
      await connection.query(`SET lock_timeout = ${lockTimeoutMs}`)
      lockTimeouts.set(connection, lockTimeoutMs)
    }
    return body()
  }
  const before = await lockTimeoutOf(connection)
  await connection.query(`SET lock_timeout = ${lockTimeoutMs}`)
  try {
    return await body()
  } finally {
    await connection.query(`SET lock_timeout = '${before}'`).catch(() => {})
  }
}

async function lockTimeoutOf(connection: Connection): Promise<string> {
  try {
    const [row] = await connection.query('SHOW lock_timeout')
    return String(row?.lock_timeout ?? '0')
  } catch (cause) {
    if (codeOf(cause) !== '25P02') throw cause // in_failed_sql_transaction
    throw new AfreshError(
      'erase',
      'The client is in a failed transaction, in which the server runs no statements.',
      {
        next: 'Roll it back, then erase. Nothing was changed.',
        cause,
      },
    )
  }
}
