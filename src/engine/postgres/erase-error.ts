import { codeOf, type EraseError } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import { REMEDIES } from '../erase-advice.ts'
import { type EraseAdvice, eraseErrorWith } from '../erase-conflict.ts'
import { blockersOf } from './blockers.ts'

/** Errors within a user's transaction are not retried: its snapshot does not change. */
export async function eraseErrorFrom(
  connection: Connection,
  sql: string,
  cause: unknown,
  isNested: boolean,
): Promise<EraseError> {
  const isConflict = ['40001', '40P01'].includes(codeOf(cause) ?? '')
  return eraseErrorWith(sql, cause, await adviceFor(connection, cause), isConflict && !isNested)
}

async function adviceFor(connection: Connection, cause: unknown): Promise<EraseAdvice> {
  switch (codeOf(cause)) {
    case '55P03': // lock_not_available
      return { code: 'blocked', next: await blockersOf(connection) }
    case '40001': // serialization_failure
      return { code: 'blocked', next: REMEDIES.changed }
    case '40P01': // deadlock_detected
      return { code: 'blocked', next: REMEDIES.deadlock }
    case '23503': // foreign_key_violation
    case '23001': // restrict_violation
      return { next: REMEDIES.referred }
    case '23502': // not_null_violation
      return {
        next: 'ON DELETE SET NULL meets a column that is NOT NULL: choose another action for that key (onDelete).',
      }
    case '42501': // insufficient_privilege
      return {
        next: 'Grant the role what the statement needs: SELECT, DELETE, UPDATE, and TEMPORARY on the database.',
      }
    case '42P01': // undefined_table
    case '42703': // undefined_column
    case '42601': // syntax_error
      return { next: REMEDIES.unknownName }
    default:
      return { next: REMEDIES.other }
  }
}
