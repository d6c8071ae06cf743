import type { SubjectId } from '../../schema/schema.ts'
import type { Outcome } from '../resetter.ts'

export interface CounterOutcome {
  readonly outcome: Outcome
  /** Whether a scan restored rows: the counters report its writes until the next snapshot. */
  readonly needsSnapshot: boolean
}

/** Finds what is dirty by counts that the server keeps. */
export interface CountedReset {
  /** Query for the number of ALTER statements that resets have run or are about to run, as `own`. */
  readonly ownStatements: string
  /** Later calls find all writes after the call of `snapshot`, and the subjects that `findDirty` returns. */
  snapshot(findDirty: () => Promise<readonly SubjectId[]>): Promise<void>
  /** Restores what the counts report, or what a scan finds where they do not suffice. */
  reset(): Promise<CounterOutcome>
  /** Subjects that may be dirty. */
  dirty(): Promise<readonly SubjectId[]>
  close(): Promise<void>
}
