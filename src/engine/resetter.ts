import type { Plan } from '../plan/plan.ts'
import type { Difference } from '../schema/difference.ts'
import type { Schema, SubjectId, TableId } from '../schema/schema.ts'
import type { Claim } from './claim.ts'
import type { Connection } from './connection.ts'

export interface DatabaseState {
  /** Tables that contain rows now, which become the baseline. */
  readonly populated: readonly TableId[]
  /** Whether this session may disable foreign keys and triggers. */
  readonly mayDisableChecks: boolean
}

/**
 * How dirty tables are found. `wal`: PostgreSQL's write-ahead log records what was written. `counters`: the
 * server counts the writes to each table. `scan`: compares every table and sequence; exact, and always
 * available.
 */
export type Detector = 'wal' | 'counters' | 'scan'

/**
 * A database with the contents of the template and the ids of its copies, which is made when it is first used.
 * Engines read from it what would take long to keep in each session.
 */
export interface PristineCopy {
  /** Runs `work` on a connection to it. After a failure, the next use makes another copy. */
  use<T>(work: (connection: Connection) => Promise<T>): Promise<T>
}

export interface Program {
  readonly schema: Schema
  readonly plan: Plan
  /** What must hold at every reset: mark and lease. `undefined` only for in-memory handles. */
  readonly claim: Claim | undefined
  /** Whether another session of this process holds the lease that `claim` names. Default `false`. */
  readonly isLeasedElsewhere?: boolean | undefined
  /** A database on the same server that contains the baseline, if the engine can read across databases. */
  readonly template: string | undefined
  /**
   * The name of the database that keeps the baseline's rows, on engines that need one if there is no `template`.
   * Default: a name of the engine's, which the next session of the same database recognizes as left behind.
   */
  readonly copyName?: string | undefined
  /** Milliseconds to wait for another session's lock before the reset fails and names the blocker. */
  readonly lockTimeoutMs: number
  /** The detector to use; `auto` chooses the cheapest available one at each reset. */
  readonly detector: Detector | 'auto'
  /**
   * What sessions in other copies of the same template found out, by name, so that it is found out once. Absent
   * if there are no such copies, or if their ids differ.
   */
  readonly findings?: Map<string, string> | undefined
  /** A copy of the same template that nothing writes to; see `PristineCopy`. Only together with `findings`. */
  readonly pristine?: PristineCopy | undefined
  /** A resetter on the same connection whose baseline is kept instead of taking the current content. */
  readonly before?: Resetter | undefined
}

export interface Resetter {
  /** Detects and restores in as few round trips as the engine allows. Throws `ResetError`, `RefusedError`. */
  reset(): Promise<Outcome>
  /** Returns what is dirty, by `by` or the detector that the next reset would use. Changes nothing. */
  detect(by?: Detector): Promise<SubjectId[]>
  /**
   * Returns what a scan finds dirty among committed rows, without waiting for transactions that are open. Absent
   * where no other session can have one.
   */
  detectCommitted?(): Promise<SubjectId[]>
  /**
   * How the schema differs from the one at the start of the session. Absent if the engine detects that
   * itself, and a reset then throws `AfreshError` (`plan`).
   */
  changes?(): Promise<SchemaChange[]>
  /** The definitions that differ from the baseline's, for engines without `changes` whose schema lacks some. */
  differences?(): Promise<readonly Difference[]>
  /** Releases what `prepare` acquired; leaves the connection open. */
  close(): Promise<void>
}

/** A changed object of the schema. */
export interface SchemaChange {
  /** Kind and name: `column shop.orders.total`. */
  readonly object: string
  /** The previous definition; `undefined` for a new object. */
  readonly was: string | undefined
  /** The current definition; `undefined` for a dropped object. */
  readonly is: string | undefined
  /** The object is new and does not affect the behavior of existing objects. */
  readonly isHarmless: boolean
}

export interface Outcome {
  readonly detector: Detector
  /** Why that detector was used, as a phrase. */
  readonly why: string
  readonly dirty: readonly SubjectId[]
  /** The catalog differs from the one that the plan was made for: tables were created or altered. */
  readonly stale?: boolean
  /** Exceptional events, as sentences. */
  readonly notes?: readonly string[]
  /**
   * `step`: index in the plan. `rows`: affected rows, if the engine reports them. `truncated`: used
   * `truncateAlternative`.
   */
  readonly ran: readonly {
    readonly step: number
    readonly rows: number | undefined
    readonly truncated: boolean
  }[]
}
