import type { Connection } from '../../engine/connection.ts'
import { messageOf } from '../../errors.ts'
import type { Random } from '../../generate/random.ts'
import { plural } from '../../plan/describe.ts'
import { interleave, type Measurement, summarize, type Variant } from '../measure.ts'
import { type Known, predict } from '../predict.ts'
import type { Cell, CellKey } from '../results.ts'
import { figuresOf, rounded, type Sample } from '../sample.ts'
import type { StorageMetrics } from '../storage-metrics.ts'
import type { EmptyingSql } from './emptying-sql.ts'
import type { RowSupply } from './row-stock.ts'
import { emptyOnce, type Round, Unfillable } from './table-round.ts'

/** The two methods that a reset chooses between. */
export const SCHEMA_METHODS = ['delete', 'truncate'] as const
export type SchemaMethod = (typeof SCHEMA_METHODS)[number]

export interface TableInput {
  /** The server's id. */
  readonly server: string
  /** The case id of the table. */
  readonly case: string
  readonly connection: Connection
  /** Reads with `readOne` as another client, to measure how long readers wait. */
  readonly observer: Connection
  readonly readOne: string
  readonly metrics: StorageMetrics
  readonly emptying: EmptyingSql
  readonly supply: RowSupply
  /** A query that returns the number of rows in `n`; `undefined` if it would count rows of other tables. */
  readonly count: string | undefined
}

export interface TableOptions {
  readonly rounds: number
  readonly leastRounds: number
  /** Milliseconds that a method may take per number of rows, including making the rows. */
  readonly budgetMs: number
  readonly random: Random
  readonly signal?: AbortSignal | undefined
}

/** No warm-up from this number of rows on. */
const COLD_ROWS = 100_000
/** Budgets that the minimum number of rounds may take together. */
const PATIENCE = 2
/** A round that would take more budgets than this is not run. */
const LONGEST_ROUND = 3
/** With fewer rows, round trips dominate. */
const TELLING_ROWS = 1000

/** One method at one number of rows. */
interface Attempt {
  readonly contender: Variant
  readonly samples: readonly Sample[]
  /**
   * Runs once more with a reader, which would distort the times. Returns the milliseconds of each read.
   */
  observe(): Promise<readonly number[]>
}

/** Measures one table at increasing numbers of rows. */
export class TableBench {
  readonly #input: TableInput
  readonly #options: TableOptions
  readonly #known = new Map<SchemaMethod, Known[]>(SCHEMA_METHODS.map((method) => [method, []]))
  /** The fastest round of each method at each number of rows: slower rounds were disturbed. */
  readonly #quickest = new Map<SchemaMethod, Map<number, number>>(
    SCHEMA_METHODS.map((method) => [method, new Map()]),
  )
  #most: { readonly rows: number; readonly reason: string }

  constructor(input: TableInput, options: TableOptions) {
    this.#input = input
    this.#options = options
    const { most, reason } = input.supply
    this.#most = { rows: most, reason: `only ${plural(most, 'row')} could be made: ${reason}` }
  }

  /** @param rows more than in the previous call */
  async measure(rows: number): Promise<Cell[]> {
    if (rows > this.#most.rows) return this.#leftOut(rows, this.#most.reason)
    const longestMs = LONGEST_ROUND * this.#options.budgetMs
    const tooLong = SCHEMA_METHODS.filter((method) => this.#expectedRoundMs(method, rows) > longestMs)
    const attempts = SCHEMA_METHODS.flatMap((method) =>
      tooLong.includes(method) ? [] : this.#attempt(method, rows),
    )
    const measured = await interleave(
      attempts.map(({ contender }) => contender),
      {
        ...this.#options,
        budgetOf: () => this.#options.budgetMs,
        patienceMs: PATIENCE * this.#options.budgetMs,
        warmUp: rows < COLD_ROWS,
      },
    )
    const unfillable = [...measured.values()].find(({ failure }) => failure instanceof Unfillable)
    if (unfillable !== undefined) {
      this.#most = { rows: rows - 1, reason: messageOf(unfillable.failure).replaceAll(/\s+/g, ' ') }
      return this.#leftOut(rows, this.#most.reason)
    }
    const cells: Cell[] = []
    for (const method of SCHEMA_METHODS) {
      const attempt = attempts.find(({ contender }) => contender.id === method)
      cells.push(
        tooLong.includes(method)
          ? this.#extrapolated(method, rows)
          : await this.#cell(method, rows, attempt, measured.get(method)),
      )
    }
    return cells
  }

  #attempt(method: SchemaMethod, rows: number): Attempt[] {
    const { connection, observer, metrics, emptying, supply, readOne, count } = this.#input
    const empty = emptying[method]
    if (typeof empty !== 'string') return []
    const samples: Sample[] = []
    const round: Round = {
      renew: emptying.renew,
      fill: supply.insert(rows),
      empty,
      insertOne: supply.insert(1),
      readOne,
      count,
    }
    const contender = {
      id: method,
      round: async () => {
        const began = performance.now()
        const sample = await emptyOnce(connection, round, { rows, metrics })
        const took = performance.now() - began
        const quickest = this.#quickestOf(method)
        quickest.set(rows, Math.min(took, quickest.get(rows) ?? took))
        samples.push(sample)
        return sample.ms
      },
    }
    const observe = async () =>
      (await emptyOnce(connection, round, { rows, metrics, readers: [observer] })).waitsMs
    return [{ contender, samples, observe }]
  }

  async #cell(
    method: SchemaMethod,
    rows: number,
    attempt: Attempt | undefined,
    measured: Measurement | undefined,
  ): Promise<Cell> {
    const key = this.#keyOf(method, rows)
    const { truncate } = this.#input.emptying
    if (method === 'truncate' && typeof truncate !== 'string') {
      return { ...key, outcome: 'not possible', reason: truncate.impossible }
    }
    if (attempt === undefined || measured === undefined || measured.samples.length === 0) {
      return { ...key, outcome: 'failed', reason: messageOf(measured?.failure) }
    }
    const times = summarize(measured.samples)
    this.#known.get(method)?.push({ rows, ms: times.median })
    const isQuick = (this.#quickestOf(method).get(rows) ?? 0) <= this.#options.budgetMs
    // A failure here does not invalidate the measured times.
    const waitsMs = isQuick && measured.failure === undefined ? await attempt.observe().catch(() => []) : []
    const samples = measured.samples.map(rounded)
    return { ...key, outcome: 'measured', ...times, samples, ...figuresOf(attempt.samples, [waitsMs]) }
  }

  /** Extrapolates the whole round linearly, because making rows takes longer than deleting them. */
  #expectedRoundMs(method: SchemaMethod, rows: number): number {
    const [last, before] = [...this.#quickestOf(method)].toSorted(([a], [b]) => b - a)
    if (last === undefined || last[0] < TELLING_ROWS) return 0
    const [lastRows, lastMs] = last
    const [beforeRows, beforeMs] = before ?? [0, 0]
    const perRow = Math.max(0, lastMs - beforeMs) / (lastRows - beforeRows)
    return lastMs + perRow * (rows - lastRows)
  }

  #quickestOf(method: SchemaMethod): Map<number, number> {
    return this.#quickest.get(method) ?? new Map()
  }

  #extrapolated(method: SchemaMethod, rows: number): Cell {
    const key = this.#keyOf(method, rows)
    const prediction = predict(this.#known.get(method) ?? [], rows)
    if (prediction === undefined) {
      const reason = `a single round would take about ${(this.#expectedRoundMs(method, rows) / 1000).toPrecision(2)} s`
      return { ...key, outcome: 'left out', reason }
    }
    const from = prediction.from.map((count) => count.toLocaleString('en-US')).join(' and ')
    return { ...key, outcome: 'extrapolated', median: prediction.ms, basis: `from ${from} rows` }
  }

  #leftOut(rows: number, reason: string): Cell[] {
    return SCHEMA_METHODS.map((method) => ({ ...this.#keyOf(method, rows), outcome: 'left out', reason }))
  }

  #keyOf(method: SchemaMethod, rows: number): CellKey {
    const { server, case: id } = this.#input
    return { server, case: id, rows, method }
  }
}
