import type { BenchResults } from '../results.ts'

export interface SchemaBenchOptions {
  /** Servers on other machines that exist for tests only, each as `host:port#system_identifier`. */
  readonly allow: readonly string[]
  /** Numbers of rows, ascending. */
  readonly rows: readonly number[]
  /** Names or globs of the tables to measure. Default: all. */
  readonly tables?: readonly string[] | undefined
  /** Size from which a warning is shown before the copy. Default: 1 GiB. */
  readonly tellFromBytes?: number | undefined
  /** Maximum and minimum number of rounds per cell. */
  readonly rounds: number
  readonly leastRounds: number
  /** Milliseconds that a method may take per cell, including making the rows. */
  readonly budgetMs: number
  readonly seed: number
  /** Results of an earlier run. Its cells are not measured again. */
  readonly previous?: BenchResults | undefined
  /** Also measure the server's costs for some seconds and store them for strategy `auto`. Default `true`. */
  readonly remember?: boolean | undefined
  /** Stops before the next round, and drops what was created on the server. */
  readonly signal?: AbortSignal | undefined
  /** Called with a line of text. */
  readonly onProgress: (line: string) => void
  /** Called after each number of rows with all results so far. */
  readonly onBlock: (results: BenchResults) => Promise<void>
}
