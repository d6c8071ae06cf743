import type { MethodId } from '../engine/bench-dialect.ts'
import { CASES } from './cases.ts'
import { machine } from './machine.ts'
import { METHODS } from './methods.ts'
import type { BenchResults } from './results.ts'

/** What to measure, and how thoroughly. */
export interface BenchSettings {
  /** Numbers of rows, ascending. */
  readonly rows: readonly number[]
  /** Case ids. */
  readonly cases: readonly string[]
  readonly methods: readonly MethodId[]
  /** Maximum number of rounds per cell, and the minimum where one takes less than a second. */
  readonly rounds: number
  readonly leastRounds: number
  /** Limits in milliseconds for a method: per cell, including the creation of rows, and per single run. */
  readonly budgetMs: number
  readonly limitMs: number
  /** Whether each method runs some more rounds with a reader. Default `true`. */
  readonly observe?: boolean | undefined
  readonly seed: number
  /** Stops before the next round, and drops what was created on the server. */
  readonly signal?: AbortSignal | undefined
  /** Called with a line of text. */
  readonly onProgress: (line: string) => void
}

/**
 * The results of a run so far, with the names of its cases and methods.
 *
 * @param before the settings of the run that it continues
 */
export function matrixResults(
  measured: Pick<BenchResults, 'date' | 'tookSeconds' | 'complete' | 'servers' | 'cells'>,
  settings: BenchSettings,
  before: BenchResults['settings'] | undefined,
): BenchResults {
  const { rows, rounds, leastRounds, budgetMs, seed } = settings
  const cases = CASES.filter(({ id }) => [...(before?.cases ?? []), ...settings.cases].includes(id))
  const methods = METHODS.filter(({ id }) => [...(before?.methods ?? []), ...settings.methods].includes(id))
  const { date, tookSeconds, complete, servers, cells } = measured
  return {
    format: 1,
    ...{ date, tookSeconds, complete },
    machine: machine(),
    settings: {
      rows: [...new Set([...(before?.rows ?? []), ...rows])].toSorted((a, b) => a - b),
      cases: cases.map(({ id }) => id),
      methods: methods.map(({ id }) => id),
      rounds,
      leastRounds,
      budgetMs,
      seed,
    },
    servers,
    cases: cases.map(({ id, factor, label, storage, shape: { tables } }) => ({
      ...{ id, factor, label, storage },
      tables,
    })),
    methods: methods.map(({ id, label, note }) => ({ id, label, note })),
    cells,
  }
}
