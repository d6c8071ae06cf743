import type { Connection } from '../connection.ts'
import type { Isolation, Proof } from '../erase-dialect.ts'
import { proving } from '../erase-proof.ts'
import { NO_ROUTINE } from './errno.ts'
import type { Send } from './mysql-connection.ts'
import { errnoOf } from './session.ts'

export interface EraseTransaction {
  readonly isNested: boolean
  /** @param temporary the selections to drop */
  commit(temporary: readonly string[]): Promise<unknown>
  rollback(temporary: readonly string[]): Promise<unknown>
}

/** If a user's client is already in a transaction, uses a savepoint within it. */
export async function begin(
  connection: Connection,
  send: Send,
  proof: Proof | undefined,
  isolation: Isolation,
): Promise<EraseTransaction> {
  const isNested = !connection.owned && (await isInTransaction(send))
  const found: EraseTransaction = {
    isNested,
    commit: (temporary) => send(ending(isNested ? RELEASE : 'COMMIT', temporary)),
    rollback: (temporary) => send(ending(isNested ? UNDO : 'ROLLBACK', temporary)),
  }
  if (!isNested) await startTransaction(send, proof, isolation)
  else if (typeof proof === 'string') await proveOr(UNDO, send, [proof])
  return found
}

/** Starts a transaction of its own. Nothing is open if the proof fails. */
export function startTransaction(
  send: Send,
  proof: Proof | undefined,
  isolation: Isolation = 'none',
): Promise<void> {
  return proveOr('ROLLBACK', send, [
    // Only this level locks the rows that a recursive query finds.
    ...(isolation === 'none' ? [] : ['SET TRANSACTION ISOLATION LEVEL REPEATABLE READ']),
    'START TRANSACTION',
    ...(typeof proof === 'string' ? [proof] : []),
  ])
}

async function proveOr(undo: string, send: Send, statements: readonly string[]): Promise<void> {
  try {
    await proving(() => send(statements.join('; ')))
  } catch (error) {
    await send(undo).catch(() => {})
    throw error
  }
}

function ending(end: string, temporary: readonly string[]): string {
  const drop = temporary.map((name) => `DROP TEMPORARY TABLE IF EXISTS ${name}`)
  return [end, 'SET foreign_key_checks = 1', ...drop].join('; ')
}

const RELEASE = 'RELEASE SAVEPOINT afresh_erase'
const UNDO = 'ROLLBACK TO SAVEPOINT afresh_erase; RELEASE SAVEPOINT afresh_erase'

/** START TRANSACTION would commit a transaction of the user's client; without one, a savepoint is lost. */
export async function isInTransaction(send: Send): Promise<boolean> {
  try {
    await send('SAVEPOINT afresh_erase; ROLLBACK TO SAVEPOINT afresh_erase')
    return true
  } catch (error) {
    if (errnoOf(error) === NO_ROUTINE) return false // also raised for a missing savepoint
    throw error
  }
}
