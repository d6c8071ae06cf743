import { codeOf, type ErrorCode, messageOf, RefusedError, ResetError } from '../../errors.ts'
import { describeStep, stepTableLabel } from '../../plan/describe.ts'
import type { Connection } from '../connection.ts'
import type { Program } from '../resetter.ts'
import { blockersOf } from './blockers.ts'
import { schemaChanges } from './definitions.ts'
import { OBJECT_CHANGED } from './large-objects.ts'
import { REFUSED } from './ownership.ts'
import { stepWith } from './steps.ts'
import { NOT_THE_BASELINE } from './views.ts'

/** Builds the error of a failed reset, with everything that the server reported. */
export async function explain(connection: Connection, program: Program, error: unknown): Promise<Error> {
  const code = codeOf(error)
  if (code === REFUSED) {
    return new RefusedError(`The reset was refused: ${messageOf(error)}.`, {
      next: 'The mark was removed, or the connection now leads elsewhere; lease or attach again.',
      cause: error,
    })
  }
  const statement = failedStatement(error)
  const step = statement === undefined ? undefined : stepWith(program.schema, program.plan, statement)
  const failed = {
    step: step === undefined ? phaseOf(error) : describeStep(program.schema, step),
    table: step === undefined ? undefined : stepTableLabel(program.schema, step),
    statement,
  }
  const advice = isDiscarded(connection, error)
    ? { next: DISCARDED }
    : await adviceFor(connection, program, code)
  return new ResetError(failed, error, advice)
}

/** A lock that a statement waits for while it is planned: the server does not say which statement it was. */
const WHILE_PLANNED = /^PL\/pgSQL function pg_temp\S*afresh_reset\(text\) line \d+ at EXECUTE/

function phaseOf(error: unknown): string {
  const where = typeof error === 'object' && error !== null && 'where' in error ? String(error.where) : ''
  return WHILE_PLANNED.test(where) ? 'restore a table' : 'find out what is dirty'
}

const DISCARDED =
  'The client given to `attach` ran DISCARD ALL or DISCARD TEMP since, and with its temporary tables the baseline is gone: ' +
  'bring the database to its baseline, and attach again, by its URL or with a client that nothing else uses.'

/** Whether the objects that afresh keeps in the user's own session are gone. */
function isDiscarded({ owned }: Connection, error: unknown): boolean {
  return (
    !owned && ['42883', '42P01'].includes(codeOf(error) ?? '') && /"?pg_temp\.afresh_/.test(messageOf(error))
  )
}

const NEW_TABLE =
  'A table that a test made may refer to these rows: drop it at the end of the test, or lease or attach again.'

const KEPT_REFERS =
  'A kept table may refer to rows that a test made: keep what it refers to as well, or reset it too. Otherwise another ' +
  'session wrote meanwhile: reset again.'

interface Advice {
  readonly code?: ErrorCode
  readonly next: string
}

async function adviceFor(
  connection: Connection,
  program: Program,
  code: string | undefined,
): Promise<Advice> {
  const advice = (await adviceOnBlockers(connection, program, code)) ?? adviceByCode(code)
  if (advice !== undefined) return advice
  return isConnectionLoss(code)
    ? { code: 'server', next: 'The server or the connection went away; the next reset starts over.' }
    : { next: 'Nothing was changed: the reset is one transaction. Fix the cause and reset again.' }
}

/** Advice for errors that another session or a table outside of the plan may have caused. */
async function adviceOnBlockers(
  connection: Connection,
  { plan }: Program,
  code: string | undefined,
): Promise<Advice | undefined> {
  switch (code) {
    case '55P03': // lock_not_available
    case '40P01': // deadlock_detected
      return { code: 'blocked', next: await blockersOf(connection) }
    case '23505': // unique_violation
    case '23P01': // exclusion_violation
      return {
        code: 'blocked',
        next: `Another session wrote the same keys while rows were put back. ${await blockersOf(connection)}`,
      }
    case '23503': // foreign_key_violation
    case '23001': // restrict_violation
      // Rows of kept tables must not be deleted, so a later reset fails as well.
      if (plan.kept.length > 0) return { next: KEPT_REFERS }
      // A table that a test created may reference the rows; a new plan includes it.
      if ((await schemaChanges(connection).catch(() => [])).length > 0) return { next: NEW_TABLE }
      return {
        code: 'blocked',
        next: `Another session wrote rows that refer to others, or are referred to. ${await blockersOf(connection)}`,
      }
    default:
      return undefined
  }
}

function adviceByCode(code: string | undefined): Advice | undefined {
  switch (code) {
    case '25001': // active_sql_transaction
      return { code: 'blocked', next: 'End it: a test has left BEGIN without COMMIT or ROLLBACK.' }
    case NOT_THE_BASELINE:
      return {
        code: 'plan',
        next: 'Refresh the view at the end of the fixtures, or name it in `keep`: what it holds cannot be computed again.',
      }
    case OBJECT_CHANGED:
      return {
        code: 'plan',
        next: 'Lease or attach again: it is too large to be kept twice, or has an owner, grants or a comment of its own.',
      }
    case '42P01': // undefined_table
    case '42703': // undefined_column
    case '22P02': // invalid_text_representation: a baseline row that no longer fits its table
    case '42804': // datatype_mismatch
    case '42846': // cannot_coerce
      return {
        code: 'plan',
        next: 'A test changed the schema: lease or attach again to take the new one into account.',
      }
    case '23502': // not_null_violation, handled like the next
    case '23514': // check_violation: also raised if no partition accepts the row
      return {
        code: 'plan',
        next:
          'A baseline row does not satisfy a constraint of today, such as one that compares with now(): correct the row in ' +
          'the fixtures, or the constraint.',
      }
    case '53100': // disk_full
      return {
        next: 'Make room on the disk of the server, and look for the test that filled it; nothing was changed.',
      }
    case '53200': // out_of_memory, here of the lock table
      return {
        next: 'Raise max_locks_per_transaction on the server: every table of the schema is inspected.',
      }
    case '42501': // insufficient_privilege
      return { next: 'Grant the role what the step needs; `afresh doctor` lists the privileges.' }
    default:
      return undefined
  }
}

/** An error without an SQLSTATE comes from the driver, not from the server. */
function isConnectionLoss(code: string | undefined): boolean {
  return code === undefined || code.startsWith('57P') || code.startsWith('08') || code.startsWith('E')
}

/** The server's error context names the statement that a function was executing. */
export function failedStatement(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('where' in error)) return undefined
  return /SQL statement "([\s\S]*?)"(?:\nPL\/pgSQL|$)/.exec(String(error.where))?.[1]
}
