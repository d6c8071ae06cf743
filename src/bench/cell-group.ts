import type { MethodId } from '../engine/bench-dialect.ts'
import type { Connection } from '../engine/connection.ts'
import { messageOf } from '../errors.ts'
import type { Random } from '../generate/random.ts'
import type { BenchDatabase, BenchServer } from './bench-server.ts'
import type { Case } from './cases.ts'
import { interleave, type Measurement, summarize, type Variant } from './measure.ts'
import { type MethodContext, type MethodRunner, methodRunnerFor } from './method-runner.ts'
import { predict } from './predict.ts'
import { type Cell, type CellKey, type MeasuredCell, medianOf } from './results.ts'
import { emptyOnce, type Sample, TimeLimitExceeded } from './round.ts'
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
  readonly random: Random
  readonly signal?: AbortSignal | undefined
}

/** No warm-up from this number of rows on. */
const COLD_ROWS = 100_000

/** Budgets that the minimum number of rounds may take together. A slower method runs only once. */
const PATIENCE = 30

/** Measures the methods in turns, in random order. Extrapolates those that are too slow. */
export async function measureCellGroup(
  benchServer: BenchServer,
  benchDatabase: BenchDatabase,
  group: CellGroup,
  options: CellGroupOptions,
  before: readonly Cell[],
): Promise<Cell[]> {
  const { shape, readers } = group.case
  const context: MethodContext = {
    engine: benchServer.engine,
    benchDatabase,
    shape,
    rowsPerTable: Math.ceil(group.rows / shape.tables),
    metrics: await storageMetricsOf(benchServer.engine, benchDatabase.connection),
  }
  const cells: Cell[] = []
  const attempts: Attempt[] = []
  for (const method of group.methods) {
    const key = keyOf(group, method)
    const runner = methodRunnerFor(method, context)
    if (typeof runner === 'string') cells.push({ ...key, outcome: 'not possible', reason: runner })
    else {
      const tooLong = extrapolate(key, before, options)
      if (tooLong === undefined) attempts.push(new Attempt(key, context, runner, options.limitMs))
      else cells.push(tooLong)
    }
  }
  const connectionsReading = await benchDatabase.others(readers)
  const measured = await interleave(
    attempts.map((attempt) => attempt.contender(connectionsReading)),
    {
      ...options,
      budgetOf: () => options.budgetMs,
      patienceMs: PATIENCE * options.budgetMs,
      warmUp: group.rows < COLD_ROWS,
    },
  )
  for (const attempt of attempts) {
    const measurement = measured.get(attempt.key.method)
    // Recreating the clone would disconnect its readers.
    if (readers === 0 && attempt.key.method !== 'clone' && measurement?.failure === undefined) {
      await attempt.observe(await benchDatabase.others(1), PATIENCE * options.budgetMs)
    }
    cells.push(attempt.cell(measurement))
  }
  return group.methods.flatMap((method) => cells.filter((cell) => cell.method === method))
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
  readonly #context: MethodContext
  readonly #runner: MethodRunner
  readonly #limitMs: number
  readonly #samples: Sample[] = []
  #readerWaitMs: number | undefined
  #longestRoundMs = 0

  constructor(key: CellKey, context: MethodContext, runner: MethodRunner, limitMs: number) {
    this.key = key
    this.#context = context
    this.#runner = runner
    this.#limitMs = limitMs
  }

  contender(readers: readonly Connection[]): Variant {
    return {
      id: this.key.method,
      round: async () => {
        const began = performance.now()
        const sample = await emptyOnce(this.#context, this.#runner, { readers, limitMs: this.#limitMs })
        this.#longestRoundMs = Math.max(this.#longestRoundMs, performance.now() - began)
        this.#samples.push(sample)
        return sample.ms
      },
    }
  }

  /** Runs once more with a reader, which would distort the times. Skipped if a round exceeds `mostMs`. */
  async observe(readers: readonly Connection[], mostMs: number): Promise<void> {
    if (readers.length === 0 || this.#samples.length === 0 || this.#longestRoundMs > mostMs) return
    // A failure here does not invalidate the measured times.
    const sample = await emptyOnce(this.#context, this.#runner, { readers, limitMs: this.#limitMs }).catch(
      () => undefined,
    )
    this.#readerWaitMs = sample?.readerWaitMs
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
        limitMs: this.#limitMs,
      }
    }
    if (measured === undefined || measured.samples.length === 0) {
      return { ...cellKey, outcome: 'failed', reason: messageOf(failure) }
    }
    return { ...cellKey, outcome: 'measured', ...summarize(measured.samples), ...this.#figures() }
  }

  #figures(): Pick<
    MeasuredCell,
    'journalBytes' | 'freedBytes' | 'leftBytes' | 'readerWaitMs' | 'nextInsertMs'
  > {
    const medianOfFigure = (figure: (sample: Sample) => number | undefined) => {
      const values = this.#samples.map(figure).filter((value) => value !== undefined)
      return values.length === 0 ? null : summarize(values).median
    }
    return {
      journalBytes: medianOfFigure(({ journalBytes }) => journalBytes),
      freedBytes: medianOfFigure(({ freedBytes }) => freedBytes),
      leftBytes: medianOfFigure(({ leftBytes }) => leftBytes),
      readerWaitMs: this.#readerWaitMs ?? medianOfFigure(({ readerWaitMs }) => readerWaitMs),
      nextInsertMs: medianOfFigure(({ nextInsertMs }) => nextInsertMs),
    }
  }
}
