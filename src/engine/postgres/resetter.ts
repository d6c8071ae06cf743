import { AfreshError, codeOf } from '../../errors.ts'
import type { SubjectId } from '../../schema/schema.ts'
import type { Connection, Row } from '../connection.ts'
import type { Detector, Outcome, Program, Resetter, SchemaChange } from '../resetter.ts'
import { DeferredRows, neededBy } from './deferred-rows.ts'
import { schemaChanges } from './definitions.ts'
import { probesOf, scanQuery } from './detect.ts'
import { dropSql } from './program.ts'
import { literal } from './quote.ts'
import { ROWS, STATE } from './repair.ts'
import { explain, failedStatement } from './reset-error.ts'
import { outcomeOf } from './reset-outcome.ts'
import { NO_ROOM } from './steps.ts'
import { FLUSH_AHEAD } from './wal.ts'
import type { WalAccess } from './wal-reader.ts'

/**
 * A session that writes concurrently may take a key before its row is restored, delete a row that it
 * references, or deadlock. Retries show whether that persists.
 */
const TRIES = 3
/** unique, foreign_key, restrict and exclusion_violation, deadlock_detected, serialization_failure */
const OF_WRITERS: readonly (string | undefined)[] = ['23505', '23503', '23001', '23P01', '40P01', '40001']

/** How often only the rows of the written blocks are read. */
const FETCHES = 3

const DISK_FULL = '53100'
const DELETED_INSTEAD =
  'The disk of the server is full: rows were deleted, since TRUNCATE takes new files. A test may have filled it.'

/** Autovacuum does not process temporary tables: afresh vacuums its own after this many restored rows. */
const TIDY_AFTER = 10_000
const TIDY = `VACUUM ${ROWS}, ${STATE}`

export interface ResetContext {
  readonly connection: Connection
  readonly program: Program
  readonly journal: WalAccess
  /** Sends SQL under the settings of the session. */
  readonly call: (sql: string) => Promise<Row[]>
}

/** Calls the functions that `prepare` has created in the session. */
export class PostgresResetter implements Resetter {
  readonly #context: ResetContext
  /** The queries that compare each subject with the baseline. */
  readonly #probes: ReturnType<typeof probesOf>
  readonly #deferred: DeferredRows
  /** Rows restored since the last VACUUM. */
  #repaired = 0

  constructor(context: ResetContext) {
    const { schema, plan } = context.program
    this.#context = context
    this.#probes = probesOf(schema, plan)
    this.#deferred = new DeferredRows(context.connection, context.program)
  }

  reset(): Promise<Outcome> {
    return this.#explained(async () => {
      const { program, journal } = this.#context
      const { rows, notes } = await this.#restore()
      const found = outcomeOf(program.plan, journal, rows[0])
      const outcome = { ...found, notes: [...notes, ...(found.notes ?? [])] }
      this.#repaired += outcome.ran.reduce((sum, { rows = 0 }) => sum + rows, 0)
      await this.#tidy()
      return outcome
    })
  }

  detect(by: Detector | 'auto' = this.#context.program.detector): Promise<SubjectId[]> {
    return this.#explained(async () => {
      const [row] = await this.#run(
        (forced) => `SELECT l.reason, l.touched::text[] FROM pg_temp.afresh_find_dirty(${forced}) AS l`,
        by,
      )
      const touched = Array.isArray(row?.touched) ? row.touched.map(String) : []
      if (row?.reason !== null || touched.length === 0) return touched
      // The WAL only shows where to look: a rolled back INSERT leaves records too.
      const probes = touched.flatMap((id) => this.#probes.get(id) ?? [])
      const looked = await this.#context.call(scanQuery(probes))
      return looked.map(({ oid }) => String(oid))
    })
  }

  detectCommitted(): Promise<SubjectId[]> {
    return this.#explained(async () => {
      const found = await this.#context.call(scanQuery(this.#probes.values()))
      return found.map(({ oid }) => String(oid))
    })
  }

  changes(): Promise<SchemaChange[]> {
    return this.#explained(() => schemaChanges(this.#context.connection))
  }

  async close(): Promise<void> {
    const { connection, call } = this.#context
    const drop = dropSql(connection.owned)
    // The user's client may be inside a transaction now.
    await call(drop).catch(() => connection.query(drop))
  }

  /** TRUNCATE creates new files; if the server has no room for them, rows are deleted. */
  async #restore(): Promise<{ readonly rows: readonly Row[]; readonly notes: readonly string[] }> {
    const { detector } = this.#context.program
    const reset = (by: string) => `SELECT pg_temp.afresh_reset(${by}) AS outcome`
    try {
      return { rows: await this.#fetching(() => retried(() => this.#run(reset, detector))), notes: [] }
    } catch (error) {
      if (codeOf(error) !== DISK_FULL) throw error
      const withoutFiles = (by: string) => `SELECT ${NO_ROOM}; ${reset(by)}`
      return { rows: await this.#fetching(() => this.#run(withoutFiles, detector)), notes: [DELETED_INSTEAD] }
    }
  }

  /** Runs a reset, again whenever it needs baseline rows that were not captured. */
  async #fetching(reset: () => Promise<Row[]>): Promise<Row[]> {
    for (let round = 1; ; round++) {
      const rows = await reset()
      const needed = neededBy(rows[0])
      if (needed === undefined) return rows
      // Another session may write to further blocks each time: then all rows are read.
      await this.#deferred.fetch(round <= FETCHES ? needed : needed.map(([id]) => [id, null]))
    }
  }

  /** @param sql takes the detector to use, as SQL */
  async #run(sql: (by: string) => string, by: Detector | 'auto'): Promise<Row[]> {
    const { journal, call } = this.#context
    const ahead = journal.readable && !journal.flushes ? FLUSH_AHEAD : ''
    try {
      return await call(ahead + sql(literal(by)))
    } catch (error) {
      if (!isOfJournal(error)) throw error
      return call(ahead + sql(literal('lost')))
    }
  }

  async #tidy(): Promise<void> {
    const { connection } = this.#context
    if (this.#repaired <= TIDY_AFTER || !connection.owned) return
    try {
      await connection.query(TIDY)
      this.#repaired = 0
    } catch (error) {
      // VACUUM writes too, and can wait until there is space.
      if (codeOf(error) !== DISK_FULL) throw error
    }
  }

  async #explained<T>(work: () => Promise<T>): Promise<T> {
    const { connection, program } = this.#context
    try {
      return await work()
    } catch (error) {
      throw error instanceof AfreshError ? error : await explain(connection, program, error)
    }
  }
}

/** Runs `work` again if another session may have made it fail. */
async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await work()
    } catch (error) {
      if (!OF_WRITERS.includes(codeOf(error)) || tried === TRIES) throw error
    }
  }
}

/**
 * Whether reading the WAL failed, for example because its segment was recycled. Nothing was changed, and a
 * scan works.
 */
function isOfJournal(error: unknown): boolean {
  return failedStatement(error)?.includes('pg_temp.afresh_wal(') === true
}
