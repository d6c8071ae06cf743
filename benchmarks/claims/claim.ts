import type { ClaimContext } from './claim-context.ts'
import type { Dialect } from './dialect.ts'

/** `no TRUNCATE`: the server lacks the statement that the claim is about. */
export type Verdict = 'true' | 'false' | 'depends' | 'no TRUNCATE'

export interface Answer {
  readonly verdict: Verdict
  /** The observation, in one sentence. */
  readonly evidence: string
  /** The unrounded figures of the sentence: medians in milliseconds, bytes, rows. */
  readonly figures?: Readonly<Record<string, number>>
}

/** A common claim about DELETE and TRUNCATE, and an experiment that tests it. */
export interface Claim {
  readonly id: string
  readonly text: string
  /** Without TRUNCATE there is nothing to test. */
  readonly isOfTruncate: boolean
  /** The claim depends on times, so the shell has to print them. */
  readonly isTimed?: boolean
  /** The statements to paste into the server's own shell. */
  statements(sql: Dialect): readonly Step[]
  /** Runs the experiment in an empty database of its own. */
  test(context: ClaimContext): Promise<Answer>
}

export interface Step {
  /** The number of the terminal, if there are several. */
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
