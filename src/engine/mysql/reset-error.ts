import { type ErrorCode, RefusedError, ResetError } from '../../errors.ts'
import { describeStep, stepTableLabel } from '../../plan/describe.ts'
import type { Connection } from '../connection.ts'
import type { Program } from '../resetter.ts'
import { NEW_SCHEMA } from './assert-schema.ts'
import { blockersOf } from './blockers.ts'
import {
  DEADLOCK,
  DENIED,
  DENIED_DATABASE,
  DENIED_TABLE,
  LOCK_TIMEOUT,
  NO_COLUMN,
  NO_DATABASE,
  NO_FILE,
  NO_ROOM,
  NO_ROUTINE,
  NO_TABLE,
  NOT_ONE_ROW,
} from './errno.ts'
import { ownership, whyUnproved } from './ownership.ts'
import type { Action } from './program.ts'
import { BatchError, CallError } from './session.ts'
import { RESTORE_FILE } from './unreadable.ts'

/** The error of a failed reset: step, table, statement, cause, and advice. */
export async function resetErrorFrom(
  connection: Connection,
  program: Program,
  error: unknown,
  describe: (index: number) => Action | undefined,
): Promise<Error> {
  if (!(error instanceof BatchError)) return error instanceof Error ? error : new Error(String(error))
  const action = error.index === undefined ? undefined : describe(error.index)
  const { claim } = program
  if (claim !== undefined && (await isUnproved(connection, claim.mark, error))) {
    return new RefusedError(`The reset was refused: ${await whyUnproved(connection, claim)}.`, {
      next: 'Its mark was removed, or the connection now leads elsewhere; lease or attach again.',
      cause: error,
    })
  }
  const step = action?.step === undefined ? undefined : program.plan.steps[action.step]
  const failed = {
    step: step === undefined ? stepInWords(action?.sql) : describeStep(program.schema, step),
    table: step === undefined ? undefined : stepTableLabel(program.schema, step),
    statement: action?.sql,
  }
  return new ResetError(failed, error, await adviceFor(connection, error))
}

/** The table of the mark, the routine or its tables are missing. */
const GONE: readonly (number | undefined)[] = [NO_TABLE, NO_DATABASE, NO_ROUTINE]

async function isUnproved(connection: Connection, mark: string, error: BatchError): Promise<boolean> {
  if (!isBeforeSteps(error)) return false
  if (error.errno === NOT_ONE_ROW) return true
  return GONE.includes(error.errno) && (await ownership.read(connection)) !== mark
}

/** The proof is the first statement of a batch, and comes before the first step of a routine. */
function isBeforeSteps(error: BatchError): boolean {
  return error.index === (error instanceof CallError ? undefined : 0)
}

function stepInWords(sql: string | undefined): string {
  if (sql?.startsWith('LOCK TABLES') === true) return 'wait for transactions that have written'
  if (sql === undefined || sql.startsWith('(SELECT') || sql.startsWith('SELECT'))
    return 'find out what is dirty'
  return 'get ready, or tidy up afterwards'
}

async function adviceFor(
  connection: Connection,
  error: BatchError,
): Promise<{ code?: ErrorCode; next: string }> {
  const { errno, index } = error
  if (isBeforeSteps(error) && GONE.includes(errno)) {
    return {
      code: 'server',
      next: 'Another session dropped what afresh keeps in `afresh_registry`; lease or attach again, which makes it again.',
    }
  }
  switch (errno) {
    case LOCK_TIMEOUT:
    case DEADLOCK:
      return { code: 'blocked', next: await blockersOf(connection) }
    case NO_TABLE:
    case NO_COLUMN:
      return { code: 'plan', next: NEW_SCHEMA }
    case NOT_ONE_ROW:
      return {
        next: 'A kept table refers to rows that a test made: keep what it refers to as well, or reset it too.',
      }
    case DENIED_DATABASE:
    case DENIED_TABLE:
    case DENIED:
      return { next: 'Grant the user what the step needs; `afresh doctor` lists the privileges.' }
    default:
      if (NO_FILE.includes(errno)) {
        return { code: 'plan', next: RESTORE_FILE }
      }
      if (NO_ROOM.includes(errno)) {
        return { next: 'Make room on the disk of the server, and look for the test that filled it.' }
      }
      return index === undefined
        ? { code: 'server', next: 'The server or the connection went away; the next reset starts over.' }
        : { next: 'Fix the cause and reset again: the next reset finds what this one left undone.' }
  }
}

export function isNoRoom(error: unknown): boolean {
  return NO_ROOM.some((errno) => failedWith(error, errno))
}

export function failedWith(error: unknown, errno: number | undefined): boolean {
  return error instanceof ResetError && error.cause instanceof BatchError && error.cause.errno === errno
}
