import type { BenchResults } from '../results.ts'

export interface SchemaBenchOptions {
  /** Servers elsewhere that are there for tests only: `host:port#system_identifier`. */
  readonly allow: readonly string[]
  /** How many rows, ascending. */
  readonly rows: readonly number[]
  /** Names or globs of the tables to measure. Default: all. */
  readonly tables?: readonly string[] | undefined
  /** From what size on it is told how large the database is. Default: 1 GiB. */
  readonly tellFromBytes?: number | undefined
  /** The most rounds of a cell, and the fewest. */
  readonly rounds: number
  readonly leastRounds: number
  /** What a way may take in a cell, making the rows included; in milliseconds. */
  readonly budgetMs: number
  readonly seed: number
  /** Of a run that was cut off: the tables that it has are not measured again. */
  readonly previous?: BenchResults | undefined
  /** Measure what it costs the server too, for some seconds, and keep it for the strategy `auto`. Default `true`. */
  readonly remember?: boolean | undefined
  /** Ends it before the next round; what was made on the server is dropped. */
  readonly signal?: AbortSignal | undefined
  /** A line for people. */
  readonly onProgress: (line: string) => void
  /** After each number of rows: all that there is until then. */
  readonly onBlock: (results: BenchResults) => Promise<void>
}
