import type { MethodId } from '../engine/bench-dialect.ts'
import type { Connection } from '../engine/connection.ts'
import { messageOf } from '../errors.ts'
import type { Random } from '../generate/random.ts'
import type { BenchDatabase, BenchServer } from './bench-server.ts'
import type { Case, Past } from './cases.ts'
import { interleave, leastRoundsFor, type Measurement, summarize, type Variant } from './measure.ts'
import { type MethodContext, methodRunnerFor } from './method-runner.ts'
import { predict } from './predict.ts'
import { type Cell, type CellKey, medianOf } from './results.ts'
import { type Contestant, emptyAtOnce, type RoundOptions, TimeLimitExceeded } from './round.ts'
import { figuresOf, rounded, type Sample } from './sample.ts'
import { storageMetricsOf } from './storage-metrics.ts'

/** All methods of one case at one number of rows. */
export interface CellGroup {
  /** The server's id. */
  readonly server: string
  readonly case: Case
  readonly rows: number
  readonly methods: readonly MethodId[]
}

export interface CellGroupOptions {
  readonly rounds: number
  readonly leastRounds: number
  /** Milliseconds that a method may take per group, including making the rows. */
  readonly budgetMs: number
  /** Milliseconds that a single run of a method may take. Slower methods are extrapolated. */
  readonly limitMs: number
  /** Whether each method runs some more rounds with a reader. Default `true`. */
  readonly observe?: boolean | undefined
  readonly random: Random
  readonly signal?: AbortSignal | undefined
}

/** No warm-up from this number of rows on. */
const COLD_ROWS = 100_000

/** Rounds with a reader, for which a method may take these budgets together. */
const OBSERVED_ROUNDS = 5
const PATIENCE = 30

/**
 * Measures the methods in turns, in random order. Extrapolates those that are too slow.
 *
 * @param benchDatabases as many as the case has workers
 */
export async function measureCellGroup(
  benchServer: BenchServer,
  benchDatabases: readonly BenchDatabase[],
  group: CellGroup,
  options: CellGroupOptions,
  before: readonly Cell[],
): Promise<Cell[]> {
  const { readers, past } = group.case
  const contexts = await Promise.all(
    benchDatabases.map((benchDatabase) => contextOf(benchServer, benchDatabase, group)),
  )
  const cells: Cell[] = []
  const attempts: Attempt[] = []
  for (const method of group.methods) {
    const key = keyOf(group, method)
    const contestants = contestantsOf(method, contexts)
    if (typeof contestants === 'string') {
      cells.push({ ...key, outcome: 'not possible', reason: contestants })
      continue
    }
    const tooLong = extrapolate(key, before, options)
    if (tooLong === undefined) attempts.push(new Attempt(key, contestants, past, options.limitMs))
    else cells.push(tooLong)
  }
  const others = (count: number) => benchDatabases[0]?.others(count) ?? Promise.resolve([])
  const connectionsReading = await others(readers)
  const measured = await interleave(
    attempts.map((attempt) => attempt.contender(connectionsReading)),
    {
      ...options,
      leastRounds: (ms) => leastRoundsFor(ms, options.leastRounds),
      budgetOf: () => options.budgetMs,
      warmUp: group.rows < COLD_ROWS,
    },
  )
  for (const attempt of attempts) {
    const measurement = measured.get(attempt.key.method)
    // Recreating the clone would disconnect its readers.
    const { observe = true } = options
    if (observe && readers === 0 && attempt.key.method !== 'clone' && measurement?.failure === undefined) {
      await attempt.observe(await others(1), PATIENCE * options.budgetMs)
    }
    cells.push(attempt.cell(measurement))
  }
  return group.methods.flatMap((method) => cells.filter((cell) => cell.method === method))
}

async function contextOf(
  { engine, cpuMs }: BenchServer,
  benchDatabase: BenchDatabase,
  { case: { shape }, rows }: CellGroup,
): Promise<MethodContext> {
  const metrics = await storageMetricsOf(engine, benchDatabase.connection)
  return { engine, benchDatabase, shape, rowsPerTable: rows, metrics, cpuMs }
}

/** @returns a phrase if the engine does not support the method for these tables */
function contestantsOf(method: MethodId, contexts: readonly MethodContext[]): Contestant[] | string {
  const contestants: Contestant[] = []
  for (const context of contexts) {
    const runner = methodRunnerFor(method, context)
    if (typeof runner === 'string') return runner
    contestants.push({ context, runner })
  }
  return contestants
}

function keyOf({ server, case: { id }, rows }: CellGroup, method: MethodId): CellKey {
  return { server, case: id, rows, method }
}

/** The cell of a method that would exceed the limit, extrapolated from fewer rows; otherwise `undefined`. */
function extrapolate(key: CellKey, before: readonly Cell[], { limitMs }: CellGroupOptions): Cell | undefined {
  const medians = before
    .filter((cell) => cell.server === key.server && cell.case === key.case && cell.method === key.method)
    .flatMap((cell) => {
      const ms = medianOf(cell)
      return ms === undefined ? [] : [{ rows: cell.rows, ms }]
    })
  const prediction = predict(medians, key.rows)
  if (prediction === undefined || prediction.ms <= limitMs) return undefined
  const from = prediction.from.map((rows) => rows.toLocaleString('en-US')).join(' and ')
  return { ...key, outcome: 'extrapolated', median: prediction.ms, basis: `from ${from} rows`, limitMs }
}

/** One method in one group. */
class Attempt {
  readonly key: CellKey
  readonly #contestants: readonly Contestant[]
  readonly #options: Pick<RoundOptions, 'limitMs' | 'past'>
  readonly #samples: Sample[] = []
  /** By round with a reader. */
  readonly #waitsMs: (readonly number[])[] = []
  #longestRoundMs = 0

  constructor(key: CellKey, contestants: readonly Contestant[], past: Past, limitMs: number) {
    this.key = key
    this.#contestants = contestants
    this.#options = { limitMs, past }
  }

  contender(readers: readonly Connection[]): Variant {
    return {
      id: this.key.method,
      round: async () => {
        const began = performance.now()
        const sample = await emptyAtOnce(this.#contestants, { ...this.#options, readers })
        this.#longestRoundMs = Math.max(this.#longestRoundMs, performance.now() - began)
        this.#samples.push(sample)
        if (readers.length > 0) this.#waitsMs.push(sample.waitsMs)
        return sample.ms
      },
    }
  }

  /** Runs some more rounds with a reader, which would distort the times, as long as they take `mostMs`. */
  async observe(readers: readonly Connection[], mostMs: number): Promise<void> {
    if (readers.length === 0 || this.#samples.length === 0 || this.#longestRoundMs > mostMs) return
    const rounds = Math.max(1, Math.min(OBSERVED_ROUNDS, Math.floor(mostMs / this.#longestRoundMs)))
    for (let round = 1; round <= rounds; round++) {
      // A failure here does not invalidate the measured times.
      const sample = await emptyAtOnce(this.#contestants, { ...this.#options, readers }).catch(
        () => undefined,
      )
      if (sample !== undefined) this.#waitsMs.push(sample.waitsMs)
    }
  }

  cell(measured: Measurement | undefined): Cell {
    const { key: cellKey } = this
    const failure = measured?.failure
    if (failure instanceof TimeLimitExceeded) {
      const percent = (failure.share * 100).toPrecision(2)
      return {
        ...cellKey,
        outcome: 'extrapolated',
        median: failure.ms / failure.share,
        basis: `from ${percent} % of the rows`,
        limitMs: this.#options.limitMs,
      }
    }
    if (measured === undefined || measured.samples.length === 0) {
      return { ...cellKey, outcome: 'failed', reason: messageOf(failure) }
    }
    return {
      ...cellKey,
      outcome: 'measured',
      ...summarize(measured.samples),
      samples: measured.samples.map(rounded),
      // Those of the warm-up come first.
      ...figuresOf(this.#samples.slice(-measured.samples.length), this.#waitsMs),
    }
  }
}
