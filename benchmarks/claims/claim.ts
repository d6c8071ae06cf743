import type { Dialect } from './dialect.ts'
import type { Ground } from './ground.ts'

/** `no TRUNCATE`: the server does not know the statement that the claim is about. */
export type Verdict = 'true' | 'false' | 'depends' | 'no TRUNCATE'

export interface Answer {
  readonly verdict: Verdict
  /** What was seen, in one sentence. */
  readonly evidence: string
  /** Medians in milliseconds, bytes, rows: what the sentence rounds. */
  readonly figures?: Readonly<Record<string, number>>
}

/** What people say of DELETE and TRUNCATE, and how to find out. */
export interface Claim {
  readonly id: string
  readonly text: string
  /** Without a TRUNCATE there is nothing to find out. */
  readonly isOfTruncate: boolean
  /** The clock tells, so the shell is to show times. */
  readonly isTimed?: boolean
  /** To be pasted into the server's own shell. */
  statements(sql: Dialect): readonly Step[]
  /** On an empty database of its own. */
  test(ground: Ground): Promise<Answer>
}

export interface Step {
  /** Which of several terminals. */
  readonly session: number
  readonly sql: string
}

/** Steps in one terminal. */
export function session(number: number, ...statements: readonly string[]): Step[] {
  return statements.map((sql) => ({ session: number, sql }))
}

export function verdictOf(holds: boolean): Verdict {
  return holds ? 'true' : 'false'
}
