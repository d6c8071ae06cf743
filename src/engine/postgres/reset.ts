import { codeOf, type ErrorCode, messageOf, RefusedError, ResetError } from '../../errors.ts'
import { describeStep, tableOfStep } from '../../plan/describe.ts'
import type { Connection, Detector, Outcome, Program, Resetter, Row } from '../engine.ts'
import { aroundsOf } from './around.ts'
import { blockersOf } from './blockers.ts'
import { DROP, programSql, REFUSED, stepWith } from './program.ts'
import { literal } from './quote.ts'
import { READABLE, type Setting, settingsSql } from './settings.ts'
import { canReadJournal } from './wal.ts'

/** Captures the baseline and builds the session's program; afterwards a reset is one function call. */
export async function prepare(connection: Connection, program: Program): Promise<Resetter> {
  const arounds = await aroundsOf(connection, program.schema, program.plan.mode)
  const settings = sessionSettings(program)
  if (connection.owned) await connection.query(settingsSql('SET', settings))
  const call = callerOf(connection, settings)
  const detector = (await canReadJournal(connection)) ? 'wal' : 'scan'
  await call(programSql(program, arounds, detector))
  return {
    async reset() {
      try {
        const [row] = await call('SELECT pg_temp.afresh_reset() AS outcome')
        return outcomeOf(row)
      } catch (error) {
        throw await explain(connection, program, error)
      }
    },
    async detect(by) {
      const [row] = await call(
        `SELECT d.dirty::text[] AS dirty FROM pg_temp.afresh_detect(${literal(by ?? program.detector)}) AS d`,
      )
      return Array.isArray(row?.dirty) ? row.dirty.map(String) : []
    },
    async close() {
      await connection.query(DROP)
    },
  }
}

/** What the session needs: nobody's triggers, complete answers, readable rows, and an end to waiting. */
function sessionSettings({ plan, lockTimeoutMs }: Program): Setting[] {
  return [
    ...(plan.mode === 'unchecked' ? [['session_replication_role', 'replica'] as const] : []),
    ['lock_timeout', `${lockTimeoutMs}`],
    ['statement_timeout', '0'],
    ['default_transaction_read_only', 'off'],
    // A straggler that commits while it is waited for must be seen by the look that follows.
    ['default_transaction_isolation', "'read committed'"],
    ...READABLE,
    ['jit', 'off'],
    ['max_parallel_workers_per_gather', '0'],
    ['client_min_messages', 'warning'],
  ]
}

/**
 * How the program is called. On a connection of our own the settings stay (switching the replication role throws
 * away every cached plan). On a client of the user's they are sent along in the same message, whose statements
 * are one transaction, and end with it.
 */
function callerOf(connection: Connection, settings: readonly Setting[]): (sql: string) => Promise<Row[]> {
  if (connection.owned) return (sql) => connection.query(sql)
  const local = `SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE; ${settingsSql('SET LOCAL', settings)}`
  return (sql) => connection.query(`${local}; ${NO_OPEN_TRANSACTION}; ${sql}`)
}

/** A message that starts a transaction of its own has one timestamp for both. */
const NO_OPEN_TRANSACTION = `DO $$ BEGIN IF pg_catalog.now() <> pg_catalog.statement_timestamp() THEN
  RAISE active_sql_transaction USING MESSAGE = 'the client is inside a transaction that was never ended'; END IF; END $$`

function outcomeOf(row: Row | undefined): Outcome {
  if (row === undefined) throw new Error('the reset returned nothing')
  const { detector, why, dirty, ran } = row.outcome as {
    detector: Detector
    why: string
    dirty: string[]
    ran: [step: number, rows: number, truncated: boolean][]
  }
  return {
    detector,
    why,
    dirty,
    ran: ran.map(([step, rows, truncated]) => ({ step, rows: truncated ? undefined : rows, truncated })),
  }
}

/** The error of a failed reset, with everything that the server said of it. */
async function explain(connection: Connection, program: Program, error: unknown): Promise<Error> {
  const code = codeOf(error)
  if (code === REFUSED) {
    return new RefusedError(`The reset was refused: ${messageOf(error)}.`, {
      next: 'Somebody took the mark away or the connection leads elsewhere now; lease or attach again.',
      cause: error,
    })
  }
  const statement = failedStatement(error)
  const step = statement === undefined ? undefined : stepWith(program, statement)
  const failed = {
    step: step === undefined ? 'find out what is dirty' : describeStep(program.schema, step),
    table: step === undefined ? undefined : tableOfStep(program.schema, step),
    statement,
  }
  return new ResetError(failed, error, await remedy(connection, code))
}

async function remedy(
  connection: Connection,
  code: string | undefined,
): Promise<{ code?: ErrorCode; next: string }> {
  switch (code) {
    case '55P03': // lock_not_available
    case '40P01': // deadlock_detected
      return { code: 'blocked', next: await blockersOf(connection) }
    case '25001': // active_sql_transaction
      return { code: 'blocked', next: 'End it: a test has left BEGIN without COMMIT or ROLLBACK.' }
    case '42P01': // undefined_table
    case '42703': // undefined_column
    case '22P02': // invalid_text_representation: a baseline row that fits its table no more
    case '42804': // datatype_mismatch
    case '42846': // cannot_coerce
      return {
        code: 'plan',
        next: 'A test changed the schema: lease or attach again to take the new one into account.',
      }
    case '53200': // out_of_memory, here: of the lock table
      return {
        next: 'Raise max_locks_per_transaction on the server: every table of the schema is looked at.',
      }
    case '42501': // insufficient_privilege
      return { next: 'Grant the role what the step needs; `afresh doctor` lists the privileges.' }
    default:
      return isConnectionLoss(code)
        ? { code: 'server', next: 'The server or the connection went away; the next reset starts over.' }
        : { next: 'Nothing was changed: the reset is one transaction. Mend the cause and reset again.' }
  }
}

/** No SQLSTATE at all means that it was the driver, not the server, who spoke. */
function isConnectionLoss(code: string | undefined): boolean {
  return code === undefined || code.startsWith('57P') || code.startsWith('08') || code.startsWith('E')
}

/** The server's context names the statement that a function was at. */
function failedStatement(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('where' in error)) return undefined
  return /SQL statement "([\s\S]*?)"(?:\nPL\/pgSQL|$)/.exec(String(error.where))?.[1]
}
