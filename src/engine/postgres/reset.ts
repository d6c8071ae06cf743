import { AfreshError, codeOf } from '../../errors.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Connection, Row } from '../connection.ts'
import type { Outcome, Program, Resetter } from '../resetter.ts'
import { readCatalog } from './catalog.ts'
import { asNotedRole, noteRole } from './client-role.ts'
import { schemaChanges } from './definitions.ts'
import { probesOf, scanQuery } from './detect.ts'
import { REASONS } from './find-dirty.ts'
import { dropSql, functionsSql, programSql } from './program.ts'
import { literal } from './quote.ts'
import { refuseRefusedRows } from './refused-rows.ts'
import { ROWS, STATE } from './repair.ts'
import { explain, failedStatement } from './reset-error.ts'
import { READABLE, SERVER_NAMES, type Setting, settingsSql } from './settings.ts'
import { NO_ROOM } from './steps.ts'
import { refuseDenied, triggerSuspensionsOf } from './suspend-triggers.ts'
import { userFunctionsOf } from './user-functions.ts'
import { FLUSH_AHEAD } from './wal.ts'
import { type WalAccess, walAccessOf } from './wal-reader.ts'

/** The name of a finding that sessions share: up to how many bytes of WAL are read rather than all tables. */
const BREAK_EVEN = 'break-even bytes'

/** Captures the baseline and creates the session's program; each reset is then one function call. */
export async function prepare(connection: Connection, program: Program): Promise<Resetter> {
  await noteRole(connection)
  const suspensions = await triggerSuspensionsOf(connection, program.schema, program.plan)
  refuseDenied(suspensions)
  if (program.template === undefined && program.before === undefined)
    await refuseRefusedRows(connection, program.schema, program.plan)
  const functions = await userFunctionsOf(connection)
  const settings = sessionSettings(program)
  if (connection.owned) await connection.query(settingsSql('SET', settings))
  const call = callerOf(connection, settings)
  const database = await oidOfDatabase(connection)
  const journal = await walAccessOf(connection, program, database)
  refuseMissing(program, journal)
  const { schema, plan } = program
  const ahead = journal.readable && !journal.flushes ? FLUSH_AHEAD : ''
  const probes = probesOf(schema, plan)
  const session = { suspensions, functions, journal, owned: connection.owned, database }
  const known = program.findings?.get(BREAK_EVEN)
  const [measured] = await call(programSql(program, session, known))
  const breakEvenBytes = known ?? String(measured?.break_even_bytes)
  if (journal.readable) program.findings?.set(BREAK_EVEN, breakEvenBytes)
  await call(functionsSql(program, session, breakEvenBytes))
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
        const reset = (by: string) => `SELECT pg_temp.afresh_reset(${by}) AS outcome`
        const { rows, notes } = await triedAgain(() => run(reset, program.detector)).then(
          (rows) => ({ rows, notes: [] }),
          async (error) => {
            if (codeOf(error) !== DISK_FULL) throw error
            const rows = await run((by) => `SELECT ${NO_ROOM}; ${reset(by)}`, program.detector)
            return { rows, notes: [DELETED_INSTEAD] }
          },
        )
        const found = outcomeOf(plan, journal, rows[0])
        const outcome = { ...found, notes: [...notes, ...(found.notes ?? [])] }
        repaired += outcome.ran.reduce((sum, { rows = 0 }) => sum + rows, 0)
        if (repaired > TIDY_AFTER && connection.owned) {
          await connection.query(TIDY).then(
            () => {
              repaired = 0
            },
            // VACUUM writes too, and can wait until there is space.
            (error) => {
              if (codeOf(error) !== DISK_FULL) throw error
            },
          )
        }
        return outcome
      }),
    detect: (by) =>
      explained(async () => {
        const [row] = await run(
          (forced) => `SELECT l.reason, l.touched::text[] FROM pg_temp.afresh_find_dirty(${forced}) AS l`,
          by ?? program.detector,
        )
        const touched = Array.isArray(row?.touched) ? row.touched.map(String) : []
        if (row?.reason !== null || touched.length === 0) return touched
        // The WAL only shows where to look: a rolled back INSERT leaves records too.
        const looked = await call(scanQuery(touched.flatMap((id) => probes.get(id) ?? [])))
        return looked.map(({ oid }) => String(oid))
      }),
    changes: () => explained(() => schemaChanges(connection)),
    async close() {
      const drop = dropSql(connection.owned)
      // The user's client may be inside a transaction now.
      await call(drop).catch(() => connection.query(drop))
    },
  }
}

/**
 * A session that writes concurrently may take a key before its row is restored, delete a row that it
 * references, or deadlock. Retries show whether that persists.
 */
const TRIES = 3
/** unique, foreign_key, restrict and exclusion_violation, deadlock_detected, serialization_failure */
const OF_WRITERS: readonly (string | undefined)[] = ['23505', '23503', '23001', '23P01', '40P01', '40001']

async function triedAgain<T>(work: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await work()
    } catch (error) {
      if (!OF_WRITERS.includes(codeOf(error)) || tried === TRIES) throw error
    }
  }
}

const DISK_FULL = '53100'
const DELETED_INSTEAD =
  'The disk of the server is full: rows were deleted, since TRUNCATE takes new files. A test may have filled it.'

async function oidOfDatabase(connection: Connection): Promise<string> {
  const [row] = await readCatalog(
    connection,
    'SELECT oid::text FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()',
  )
  return String(row?.oid)
}

/**
 * Whether reading the WAL failed, for example because its segment was recycled. Nothing was changed, and a
 * scan works.
 */
function isOfJournal(error: unknown): boolean {
  return failedStatement(error)?.includes('pg_temp.afresh_wal(') === true
}

/** Autovacuum does not process temporary tables: afresh vacuums its own after this many restored rows. */
const TIDY_AFTER = 10_000
const TIDY = `VACUUM ${ROWS}, ${STATE}`

function refuseMissing({ detector }: Program, journal: WalAccess): void {
  if (detector !== 'wal' || journal.readable) return
  throw new AfreshError('usage', `The detector "wal" is unavailable here: ${journal.why}.`, {
    next: 'Leave the choice to "auto", or connect as a superuser to PostgreSQL 16 or later.',
  })
}

/** The settings of a session: no user triggers, complete and readable rows, and a lock timeout. */
function sessionSettings({ plan, lockTimeoutMs }: Program): Setting[] {
  return [
    ...(plan.mode === 'unchecked' ? [['session_replication_role', 'replica'] as const] : []),
    ['lock_timeout', `${lockTimeoutMs}`],
    ['statement_timeout', '0'],
    ['default_transaction_read_only', 'off'],
    // The search that follows a wait for a transaction must see its commit.
    ['default_transaction_isolation', "'read committed'"],
    ...READABLE,
    SERVER_NAMES,
    ['jit', 'off'],
    // Arrays of unknown length would otherwise cause every statement to be planned again.
    ['plan_cache_mode', 'force_generic_plan'],
    // The next reset flushes what this one wrote, if it has to read it.
    ['synchronous_commit', 'off'],
    ['max_parallel_workers_per_gather', '0'],
    ['client_min_messages', 'warning'],
  ]
}

/**
 * Returns how to run the program. On afresh's own connection the settings stay, because changing the
 * replication role discards every cached plan. On a user's client they are sent in the same message, whose
 * statements form one transaction, and end with it.
 */
function callerOf(connection: Connection, settings: readonly Setting[]): (sql: string) => Promise<Row[]> {
  if (connection.owned) return (sql) => connection.query(sql)
  const local = `SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE; ${asNotedRole(connection)}${settingsSql('SET LOCAL', settings)}`
  return (sql) => connection.query(`${local}; ${NO_OPEN_TRANSACTION}; ${sql}`)
}

/** In a message that starts its own transaction, both timestamps are equal. */
const NO_OPEN_TRANSACTION = `DO $$ BEGIN IF pg_catalog.now() <> pg_catalog.statement_timestamp() THEN
  RAISE active_sql_transaction USING MESSAGE = 'the client is inside a transaction that was never ended'; END IF; END $$`

interface Report {
  /** Why everything was scanned; null if the WAL was read. */
  readonly reason: string | null
  readonly bytes?: number
  readonly dirty: readonly string[] | null
  /** `,[step,position,by truncate,rows]` for each statement. */
  readonly ran: string
  readonly restarted: readonly number[] | null
  readonly stale: boolean | null
  /** Another session has written and not ended its transaction, although it locks no table. */
  readonly writing: boolean | null
}

function outcomeOf(plan: Plan, journal: WalAccess, row: Row | undefined): Outcome {
  if (row === undefined) throw new Error('the reset returned nothing')
  if (row.outcome === null) return { detector: 'wal', why: UNTOUCHED, dirty: [], ran: [] }
  const { reason, bytes = 0, dirty, ran, restarted, stale, writing } = row.outcome as Report
  const statements = JSON.parse(`[${ran.slice(1)}]`) as [number, number, boolean, number][]
  const steps = [
    ...statements.flatMap(([step, index, truncated, rows]) =>
      index === 0 ? [{ step, rows: truncated ? undefined : rows, truncated }] : [],
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
  // The WAL names more than what changed: subjects with nothing to restore were not dirty.
  const done = steps.filter(({ step, rows }) => rows !== 0 || !COUNTED.has(plan.steps[step]?.kind))
  const mended = new Set(done.flatMap(({ step }) => plan.steps[step]?.when ?? []))
  const why = `the journal since the last reset is short (${bytes} bytes)`
  return { ...rest, detector: 'wal', why, dirty: rest.dirty.filter((id) => mended.has(id)), ran: done }
}

const COUNTED: ReadonlySet<string | undefined> = new Set(['delete', 'delete-differing', 'insert-missing'])

const OPEN = 'Another session wrote and has not ended its transaction; a later reset finds what it commits.'

const UNTOUCHED = 'nothing was written since the last reset'

function whyScan(journal: WalAccess, reason: string): string {
  if (!journal.readable) return journal.why
  return Object.entries(REASONS).find(([name]) => name === reason)?.[1] ?? reason
}
