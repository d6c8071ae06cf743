import { AfreshError, messageOf } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import { DEADLOCK, LOCK_TIMEOUT, NO_FILE, NO_TABLE } from './errno.ts'
import { ident } from './quote.ts'
import { batch, errnoOf } from './session.ts'

export const RESTORE_FILE =
  'Fix what the server names (files, a storage engine, the tables that it refers to), or drop the table and create it again.'

/** Errors of a table that another session is changing; any other error persists. */
const PASSING: readonly (number | undefined)[] = [LOCK_TIMEOUT, DEADLOCK, NO_TABLE]
const WAIT_MS = 1_000

/**
 * Queries each table that the catalog does not describe. Does nothing if another session is merely changing
 * it.
 *
 * @throws AfreshError `plan`, with the server's reason, if the server cannot open a table
 */
export async function refuseUnopenable(connection: Connection, tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    try {
      await batch(connection, [`SELECT 1 FROM ${ident(table)} LIMIT 0`], { lockTimeoutMs: WAIT_MS })
    } catch (error) {
      const errno = errnoOf(error)
      if (errno === undefined) throw error
      if (errno === LOCK_TIMEOUT) return
      if (!PASSING.includes(errno)) throw unopenable(`"${table}"`, error)
    }
  }
}

/** Explains the error of a read if the server cannot open a table; returns any other error unchanged. */
export function asTableOpenError(error: unknown): unknown {
  return NO_FILE.includes(errnoOf(error)) ? unopenable('A table', error) : error
}

function unopenable(table: string, cause: unknown): AfreshError {
  return new AfreshError('plan', `${table} cannot be opened: ${messageOf(cause)}.`, {
    next: RESTORE_FILE,
    cause,
  })
}

export function tableInUseError(tables: readonly string[], afterMs: number): AfreshError {
  return new AfreshError(
    'blocked',
    `The definition of ${tables.join(', ')} could not be read within ${afterMs / 1000} s: another session is changing it.`,
    { next: 'See SHOW PROCESSLIST for ALTER or TRUNCATE; end what a test has left running.' },
  )
}
