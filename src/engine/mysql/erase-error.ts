import type { EraseError } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import { REMEDIES } from '../erase-advice.ts'
import { type EraseAdvice, eraseErrorWith } from '../erase-conflict.ts'
import { blockersOf } from './blockers.ts'
import {
  CHANGED,
  DEADLOCK,
  DENIED_DATABASE,
  DENIED_TABLE,
  LOCK_TIMEOUT,
  NO_COLUMN,
  NO_TABLE,
  REFERRED,
} from './errno.ts'
import { errnoOf } from './session.ts'

/** A deadlock in the user's transaction has rolled all of it back, so afresh cannot retry it. */
export async function eraseErrorFrom(
  connection: Connection,
  sql: string,
  cause: unknown,
  isNested: boolean,
): Promise<EraseError> {
  const isConflict = [DEADLOCK, CHANGED].includes(errnoOf(cause) ?? 0)
  return eraseErrorWith(sql, cause, await adviceFor(connection, cause), isConflict && !isNested)
}

async function adviceFor(connection: Connection, cause: unknown): Promise<EraseAdvice> {
  switch (errnoOf(cause)) {
    case LOCK_TIMEOUT:
      return { code: 'blocked', next: await blockersOf(connection) }
    case DEADLOCK:
      return { code: 'blocked', next: REMEDIES.deadlock }
    case CHANGED:
      return { code: 'blocked', next: REMEDIES.changed }
    case REFERRED:
      return { next: REMEDIES.referred }
    case DENIED_DATABASE:
    case DENIED_TABLE:
      return {
        next: 'Grant the user what the statement needs: SELECT, DELETE, UPDATE, CREATE TEMPORARY TABLES.',
      }
    case NO_TABLE:
    case NO_COLUMN:
      return { next: REMEDIES.unknownName }
    default:
      return { next: REMEDIES.other }
  }
}
