import { AfreshError, codeOf } from '../../errors.ts'
import type { Connection, Row } from '../engine.ts'
import { blockersOf } from './blockers.ts'

const LOCK_TIMEOUT_MS = 5_000

/**
 * Reads tables outside of a reset without waiting for ever: a session that holds ACCESS EXCLUSIVE keeps even readers
 * away, and `lock_timeout` is off by default. The statements of one message are one transaction, with which the
 * setting ends.
 *
 * @throws AfreshError `blocked`, naming who is in the way
 */
export async function readBounded(connection: Connection, sql: string): Promise<Row[]> {
  try {
    return await connection.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}; ${sql}`)
  } catch (cause) {
    if (codeOf(cause) !== '55P03') throw cause
    throw new AfreshError(
      'blocked',
      `A table of "${connection.database}" stayed locked for ${LOCK_TIMEOUT_MS / 1000} s.`,
      { next: await blockersOf(connection), cause },
    )
  }
}
