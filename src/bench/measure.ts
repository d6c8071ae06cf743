import type { Random } from '../generate/random.ts'
import { keepMemorySmall } from './memory.ts'

/** What many measurements of one thing say. */
export interface Summary {
  /** How many. */
  readonly n: number
  readonly median: number
  /** A quarter of them is below, a quarter above `q3`. */
  readonly q1: number
  readonly q3: number
  readonly min: number
  readonly max: number
}

/** @throws RangeError where there is nothing to sum up */
export function summarize(samples: readonly number[]): Summary {
  if (samples.length === 0) throw new RangeError('nothing was measured')
  const sorted = [...samples].sort((a, b) => a - b)
  return {
    n: sorted.length,
    median: quantile(sorted, 0.5),
    q1: quantile(sorted, 0.25),
    q3: quantile(sorted, 0.75),
    min: quantile(sorted, 0),
    max: quantile(sorted, 1),
  }
}

/** With interpolation between neighbours, as R (type 7) and NumPy have it. */
function quantile(sorted: readonly number[], share: number): number {
  const rank = (sorted.length - 1) * share
  const below = sorted[Math.floor(rank)] ?? 0
  const above = sorted[Math.ceil(rank)] ?? below
  return below + (above - below) * (rank % 1)
}

/** One of several things that are measured side by side. */
export interface Variant {
  readonly id: string
  /** Prepares, does it once, and tells the milliseconds of what counts. */
  round(): Promise<number>
}

export interface InterleaveOptions {
  /** The most rounds that a contender gets. */
  readonly rounds: number
  /** The fewest, but for one whose first round alone is past the budget: that round is all it gets. */
  readonly leastRounds: number
  /** Milliseconds that the fewest rounds may take together; where they would take longer, one must do. */
  readonly patienceMs?: number
  /** Milliseconds that the contender of this id may take, its preparations included. */
  readonly budgetOf: (id: string) => number
  readonly random: Random
  /** Ends it before the next round. */
  readonly signal?: AbortSignal | undefined
  /** Two rounds that do not count. Default `true`; what takes seconds needs none. */
  readonly warmUp?: boolean
}

export interface Measurement {
  readonly samples: readonly number[]
  /** Where others were warmed up: the only sample is from a round before that. */
  readonly cold: boolean
  /** Why it was given up; its samples until then are kept. */
  readonly failure: unknown
}

/**
 * Measures contenders in turns, each turn in another order, so that whatever else the machine does hits all of them
 * alike. Two rounds each go unmeasured, to warm up and to learn what a round costs (one, which counts, without warming
 * up); slow contenders then take part in fewer rounds, spread over the whole time.
 *
 * Throws the signal's reason where that ends it.
 */
export async function interleave(
  contenders: readonly Variant[],
  options: InterleaveOptions,
): Promise<Map<string, Measurement>> {
  const runs = contenders.map((contender) => new Run(contender))
  const turns = options.warmUp === false ? (['first'] as const) : (['cold', 'warm'] as const)
  for (const turn of turns) {
    for (const run of shuffled(runs, options.random)) {
      options.signal?.throwIfAborted()
      await run.rehearse(turn, options)
    }
  }
  for (let turn = 1; turn <= options.rounds; turn++) {
    for (const run of shuffled(runs, options.random)) {
      options.signal?.throwIfAborted()
      if (run.isDue(turn, options.rounds)) await run.measure()
    }
  }
  return new Map(runs.map((run) => [run.id, run.measured()]))
}

class Run {
  readonly id: string
  readonly #contender: Variant
  readonly #samples: number[] = []
  #planned = 0
  #isTooSlow = false
  #failure: unknown

  constructor(contender: Variant) {
    this.id = contender.id
    this.#contender = contender
  }

  async rehearse(
    turn: 'first' | 'cold' | 'warm',
    { rounds, leastRounds, budgetOf, patienceMs = Number.POSITIVE_INFINITY }: InterleaveOptions,
  ): Promise<void> {
    const budgetMs = budgetOf(this.id)
    if (this.#isTooSlow || this.#failure !== undefined) return
    keepMemorySmall()
    const start = performance.now()
    const sample = await this.#round()
    const cost = performance.now() - start
    if (sample === undefined) return
    if (turn === 'cold' && cost > budgetMs) this.#isTooSlow = true
    if (turn === 'first' || this.#isTooSlow) this.#samples.push(sample)
    const least = leastRounds * cost > patienceMs ? 1 : leastRounds
    const affordable = Math.min(rounds, Math.max(least, Math.floor(budgetMs / cost)))
    this.#planned = this.#isTooSlow ? 0 : affordable - this.#samples.length
  }

  isDue(turn: number, rounds: number): boolean {
    if (this.#failure !== undefined) return false
    return Math.floor((turn * this.#planned) / rounds) > Math.floor(((turn - 1) * this.#planned) / rounds)
  }

  async measure(): Promise<void> {
    keepMemorySmall()
    const sample = await this.#round()
    if (sample !== undefined) this.#samples.push(sample)
  }

  async #round(): Promise<number | undefined> {
    try {
      return await this.#contender.round()
    } catch (error) {
      this.#failure = error ?? new Error('failed without saying why')
      return undefined
    }
  }

  measured(): Measurement {
    return { samples: this.#samples, cold: this.#isTooSlow, failure: this.#failure }
  }
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items]
  for (let last = result.length - 1; last > 0; last--) {
    const other = random.int(0, last)
    const [a, b] = [result[last] as T, result[other] as T]
    result[last] = b
    result[other] = a
  }
  return result
}
