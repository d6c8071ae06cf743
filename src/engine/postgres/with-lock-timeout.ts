import { AfreshError, codeOf, messageOf } from '../../errors.ts'
import type { Connection, Row } from '../connection.ts'
import { blockersOf } from './blockers.ts'
import { asNotedRole } from './client-role.ts'
import { READABLE, SERVER_NAMES, settingsSql } from './settings.ts'

const LOCK_TIMEOUT_MS = 5_000

/**
 * Reads tables outside of a reset with a lock timeout: ACCESS EXCLUSIVE blocks even readers, and
 * `lock_timeout` is off by default. The result is complete (row security raises an error instead of hiding
 * rows) and formatted independently of the server's settings. The statements of one message form one
 * transaction, with which the settings end.
 *
 * @throws AfreshError `blocked`, naming the blocking sessions; `server` for a role that may not see every row
 */
export async function readWithLockTimeout(connection: Connection, sql: string): Promise<Row[]> {
  try {
    return await connection.query(
      `${asNotedRole(connection)}${settingsSql('SET LOCAL', [['lock_timeout', `${LOCK_TIMEOUT_MS}`], ...READABLE, SERVER_NAMES])}; ${sql}`,
    )
  } catch (cause) {
    if (codeOf(cause) === '42501') {
      throw new AfreshError(
        'server',
        `The role does not see everything in "${connection.database}": ${messageOf(cause)}.`,
        {
          next:
            'Use the owner of the tables, or a role that row security does not hold (BYPASSRLS). Where a table says FORCE ROW ' +
            'LEVEL SECURITY, its owner is held as well: ALTER TABLE … NO FORCE ROW LEVEL SECURITY in a test database.',
          cause,
        },
      )
    }
    if (codeOf(cause) !== '55P03') throw cause
    throw new AfreshError(
      'blocked',
      `A table of "${connection.database}" stayed locked for ${LOCK_TIMEOUT_MS / 1000} s.`,
      { next: await blockersOf(connection), cause },
    )
  }
}
