import { AfreshError, codeOf, type ErrorCode, messageOf, RefusedError, ResetError } from '../../errors.ts'
import { describeStep, tableOfStep } from '../../plan/describe.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Connection, Outcome, Program, Resetter, Row } from '../engine.ts'
import { aroundsOf } from './around.ts'
import { blockersOf } from './blockers.ts'
import { probesOf, scanQuery } from './detect.ts'
import { REASONS } from './look.ts'
import { dropSql, functionsSql, programSql, REFUSED } from './program.ts'
import { literal } from './quote.ts'
import { ROWS, STATE } from './repair.ts'
import { READABLE, type Setting, settingsSql } from './settings.ts'
import { stepWith } from './steps.ts'
import { FLUSH_AHEAD, type Journal, journalOf } from './wal.ts'

/** Captures the baseline and builds the session's program; afterwards a reset is one function call. */
export async function prepare(connection: Connection, program: Program): Promise<Resetter> {
  const arounds = await aroundsOf(connection, program.schema, program.plan.mode)
  const settings = sessionSettings(program)
  if (connection.owned) await connection.query(settingsSql('SET', settings))
  const call = callerOf(connection, settings)
  const database = await oidOfDatabase(connection)
  const journal = await journalOf(connection, program, database)
  refuseMissing(program, journal)
  const { schema, plan } = program
  const ahead = journal.readable && !journal.flushes ? FLUSH_AHEAD : ''
  const probes = probesOf(schema, plan)
  const session = { arounds, journal, owned: connection.owned, database }
  const [weighed] = await call(programSql(program, session))
  await call(functionsSql(program, session, String(weighed?.worth)))
  const run = (sql: (by: string) => string, by: string) =>
    call(ahead + sql(literal(by))).catch((error) => {
      if (!isOfJournal(error)) throw error
      return call(ahead + sql(literal('lost')))
    })
  const explained = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw await explain(connection, program, error)
    }
  }
  let repaired = 0
  return {
    reset: () =>
      explained(async () => {
        const [row] = await run((by) => `SELECT pg_temp.afresh_reset(${by}) AS outcome`, program.detector)
        const outcome = outcomeOf(plan, journal, row)
        repaired += outcome.ran.reduce((sum, { rows = 0 }) => sum + rows, 0)
        if (repaired > TIDY_AFTER && connection.owned) {
          repaired = 0
          await connection.query(TIDY)
        }
        return outcome
      }),
    detect: (by) =>
      explained(async () => {
        const [row] = await run(
          (forced) => `SELECT l.reason, l.touched::text[] FROM pg_temp.afresh_look(${forced}) AS l`,
          by ?? program.detector,
        )
        const touched = Array.isArray(row?.touched) ? row.touched.map(String) : []
        if (row?.reason !== null || touched.length === 0) return touched
        // The journal only says where to look: a rolled back INSERT leaves records too.
        const looked = await call(scanQuery(touched.flatMap((id) => probes.get(id) ?? [])))
        return looked.map(({ oid }) => String(oid))
      }),
    async close() {
      await connection.query(dropSql(connection.owned))
    },
  }
}

async function oidOfDatabase(connection: Connection): Promise<string> {
  const [row] = await connection.query(
    'SELECT oid::text FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()',
  )
  return String(row?.oid)
}

/** Its segment was recycled, or it cannot be read for another reason: nothing was changed, a look at everything will do. */
function isOfJournal(error: unknown): boolean {
  return failedStatement(error)?.includes('pg_temp.afresh_wal(') === true
}

/** No autovacuum comes to temporary tables: after so many rows that moved, ours are tidied up. */
const TIDY_AFTER = 10_000
const TIDY = `VACUUM ${ROWS}, ${STATE}`

function refuseMissing({ detector }: Program, journal: Journal): void {
  if (detector !== 'wal' || journal.readable) return
  throw new AfreshError('usage', `detector: "wal" is not to be had here: ${journal.why}.`, {
    next: 'Leave the choice to "auto", or connect as a superuser to PostgreSQL 16 or later.',
  })
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
    // Arrays of unknown length would have every statement planned anew.
    ['plan_cache_mode', 'force_generic_plan'],
    // The next reset flushes what this one wrote, where it has to be read.
    ['synchronous_commit', 'off'],
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

interface Report {
  /** Why everything was looked at; none when the journal told. */
  readonly reason: string | null
  readonly bytes?: number
  readonly dirty: readonly string[] | null
  /** `,[step,place,by truncate,rows]` of each statement. */
  readonly ran: string
  readonly restarted: readonly number[] | null
  readonly stale: boolean | null
  /** Somebody who wrote has not ended the transaction, though no table is locked by it. */
  readonly writing: boolean | null
}

function outcomeOf(plan: Plan, journal: Journal, row: Row | undefined): Outcome {
  if (row === undefined) throw new Error('the reset returned nothing')
  if (row.outcome === null) return { detector: 'wal', why: UNTOUCHED, dirty: [], ran: [] }
  const { reason, bytes = 0, dirty, ran, restarted, stale, writing } = row.outcome as Report
  const statements = JSON.parse(`[${ran.slice(1)}]`) as [number, number, boolean, number][]
  const steps = [
    ...statements.flatMap(([step, place, truncated, rows]) =>
      place === 0 ? [{ step, rows: truncated ? undefined : rows, truncated }] : [],
    ),
    ...(restarted ?? []).map((step) => ({ step, rows: undefined, truncated: false })),
  ]
  const rest = {
    dirty: dirty ?? [],
    ran: steps,
    stale: stale === true,
    notes: writing === true ? [OPEN] : [],
  }
  if (reason !== null) return { detector: 'scan', why: whyScan(journal, reason), ...rest }
  // The journal names more than what changed: what had nothing to be put right was not dirty.
  const done = steps.filter(({ step, rows }) => rows !== 0 || !COUNTED.has(plan.steps[step]?.kind))
  const mended = new Set(done.flatMap(({ step }) => plan.steps[step]?.when ?? []))
  const why = `the journal since the last reset is short (${bytes} bytes)`
  return { ...rest, detector: 'wal', why, dirty: rest.dirty.filter((id) => mended.has(id)), ran: done }
}

const COUNTED: ReadonlySet<string | undefined> = new Set(['delete', 'trim', 'fill'])

const OPEN =
  'Somebody who wrote has not ended the transaction: what it commits later, a later reset will find.'

const UNTOUCHED = 'nobody has written since the last reset'

function whyScan(journal: Journal, reason: string): string {
  if (!journal.readable) return journal.why
  return Object.entries(REASONS).find(([name]) => name === reason)?.[1] ?? reason
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
  const step = statement === undefined ? undefined : stepWith(program.schema, program.plan, statement)
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
    case '23502': // not_null_violation, as the next
    case '23514': // check_violation: also no partition for it
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
