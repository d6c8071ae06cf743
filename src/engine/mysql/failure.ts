import { type ErrorCode, RefusedError, ResetError } from '../../errors.ts'
import { describeStep, tableOfStep } from '../../plan/describe.ts'
import type { Connection, Program } from '../engine.ts'
import { blockersOf } from './blockers.ts'
import { NEW_SCHEMA } from './changes.ts'
import type { Action } from './program.ts'
import { BatchError, CallError } from './session.ts'

const DEADLOCK = 1213
const LOCK_TIMEOUT = 1205
/** What the proof of the mark fails with: ER_SUBQUERY_NO_1_ROW, or there is nowhere to look for it. */
const UNPROVED = [1242, 1146, 1049]

/** The error of a failed reset: step, table, statement, cause, and what to do. */
export async function explain(
  connection: Connection,
  program: Program,
  error: unknown,
  describe: (index: number) => Action | undefined,
): Promise<Error> {
  if (!(error instanceof BatchError)) return error instanceof Error ? error : new Error(String(error))
  const action = error.index === undefined ? undefined : describe(error.index)
  if (program.mark !== undefined && isUnproved(error)) {
    return new RefusedError(`The reset was refused: the database does not carry the mark ${program.mark}.`, {
      next: 'Somebody took the mark away or the connection leads elsewhere now; lease or attach again.',
      cause: error,
    })
  }
  const step = action?.step === undefined ? undefined : program.plan.steps[action.step]
  const failed = {
    step: step === undefined ? stepInWords(action?.sql) : describeStep(program.schema, step),
    table: step === undefined ? undefined : tableOfStep(program.schema, step),
    statement: action?.sql,
  }
  return new ResetError(failed, error, await remedy(connection, error))
}

/** The proof is the first of a batch, and what comes before a routine's first step. */
function isUnproved(error: BatchError): boolean {
  if (!(error instanceof CallError)) return error.index === 0
  return error.index === undefined && UNPROVED.includes(error.errno ?? 0)
}

function stepInWords(sql: string | undefined): string {
  if (sql?.startsWith('LOCK TABLES') === true) return 'wait for transactions that have written'
  if (sql === undefined || sql.startsWith('(SELECT') || sql.startsWith('SELECT'))
    return 'find out what is dirty'
  return 'get ready, or tidy up afterwards'
}

async function remedy(
  connection: Connection,
  { errno, index }: BatchError,
): Promise<{ code?: ErrorCode; next: string }> {
  switch (errno) {
    case LOCK_TIMEOUT:
    case DEADLOCK:
      return { code: 'blocked', next: await blockersOf(connection) }
    case 1146: // ER_NO_SUCH_TABLE
    case 1054: // ER_BAD_FIELD_ERROR
      return { code: 'plan', next: NEW_SCHEMA }
    case 1242: // ER_SUBQUERY_NO_1_ROW, raised by a check
      return {
        next: 'A kept table refers to rows that a test made: keep what it refers to as well, or reset it too.',
      }
    case 1044: // ER_DBACCESS_DENIED_ERROR
    case 1142: // ER_TABLEACCESS_DENIED_ERROR
    case 1227: // ER_SPECIFIC_ACCESS_DENIED_ERROR
      return { next: 'Grant the user what the step needs; `afresh doctor` lists the privileges.' }
    default:
      return index === undefined
        ? { code: 'server', next: 'The server or the connection went away; the next reset starts over.' }
        : { next: 'Mend the cause and reset again: the next reset finds what this one left undone.' }
  }
}
