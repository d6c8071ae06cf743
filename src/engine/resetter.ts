import type { Plan } from '../plan/plan.ts'
import type { Schema, SubjectId, TableId } from '../schema/schema.ts'
import type { Claim } from './claim.ts'

export interface DatabaseState {
  /** Tables that have rows now: they become the baseline's. */
  readonly populated: readonly TableId[]
  /** Whether this session may switch foreign keys and triggers off. */
  readonly mayDisableChecks: boolean
}

/**
 * How dirty tables are found. `wal`: PostgreSQL's own journal names what was written. `counters`: the server counts
 * the writes of each table. `scan`: a look at every table and sequence; exact, and possible everywhere.
 */
export type Detector = 'wal' | 'counters' | 'scan'

export interface Program {
  readonly schema: Schema
  readonly plan: Plan
  /** What has to hold at every reset: mark and lease. `undefined` only for in-memory handles. */
  readonly claim: Claim | undefined
  /** A database on the same server that holds the baseline, where rows can be read across databases. */
  readonly template: string | undefined
  /** Milliseconds to wait for another session's lock before the reset fails and names the blocker. */
  readonly lockTimeoutMs: number
  /** The one to use; `auto`: each time the one that is possible and cheaper. */
  readonly detector: Detector | 'auto'
  /** The resetter whose baseline stays, on the same connection: it is not taken again from what is there now. */
  readonly before?: Resetter | undefined
}

export interface Resetter {
  /** Detect, run the steps, report: in as few round trips as the engine allows. Throws `ResetError`, `RefusedError`. */
  reset(): Promise<Outcome>
  /** What is dirty now, by the detector that the next reset would use, or by this one; changes nothing. */
  detect(by?: Detector): Promise<SubjectId[]>
  /**
   * How the schema differs from the one that the session began with. Absent where the engine finds that out by itself, and
   * a reset throws `AfreshError` (`plan`).
   */
  changes?(): Promise<SchemaChange[]>
  /** Gives back what `prepare` took; leaves the connection open. */
  close(): Promise<void>
}

/** One object of the schema that is not as it was. */
export interface SchemaChange {
  /** Its kind and name: `column shop.orders.total`. */
  readonly object: string
  /** How it was defined; `undefined` where it is new. */
  readonly was: string | undefined
  /** How it is defined; `undefined` where it is gone. */
  readonly is: string | undefined
  /** It is new, and nothing that was there behaves otherwise because of it. */
  readonly isHarmless: boolean
}

export interface Outcome {
  readonly detector: Detector
  /** Why that detector: a phrase for people. */
  readonly why: string
  readonly dirty: readonly SubjectId[]
  /** The catalog is not what the plan was made for: somebody has made or changed tables. */
  readonly stale?: boolean
  /** What was out of the ordinary, in sentences. */
  readonly notes?: readonly string[]
  /** `step`: place in the plan. `rows`: rows touched, where the engine knows. `truncated`: took `truncateAlternative`. */
  readonly ran: readonly {
    readonly step: number
    readonly rows: number | undefined
    readonly truncated: boolean
  }[]
}
