import { type Random, shuffled } from '../generate/random.ts'
import { keepMemorySmall } from './memory.ts'
import { summarize } from './summary.ts'

export { type Summary, summarize } from './summary.ts'

/** From these milliseconds on, a third and a fifth of the rounds suffice: 5 and 3 instead of 15. */
const LONG_MS = 1000
const VERY_LONG_MS = 60_000

/** The minimum number of rounds of something that takes so long, given that of what takes less than a second. */
export function leastRoundsFor(ms: number, leastRounds: number): number {
  if (ms < LONG_MS) return leastRounds
  return Math.ceil(leastRounds / (ms < VERY_LONG_MS ? 3 : 5))
}

/** One of several things that are measured in turns. */
export interface Variant {
  readonly id: string
  /** Prepares and runs once. Returns the milliseconds that count. */
  round(): Promise<number>
}

export interface InterleaveOptions {
  /** Maximum number of rounds per contender. */
  readonly rounds: number
  /**
   * Minimum number of rounds. As a number, a contender whose first round exceeds the budget gets no other; as
   * a function of the milliseconds that count, it holds whatever a round takes.
   */
  readonly leastRounds: number | ((ms: number) => number)
  /** Milliseconds that the minimum number of rounds may take; otherwise one round suffices. */
  readonly patienceMs?: number
  /** Milliseconds that a contender may take, including preparation. */
  readonly budgetOf: (id: string) => number
  readonly random: Random
  /** Stops before the next round. */
  readonly signal?: AbortSignal | undefined
  /** Whether two rounds run without being counted. Default `true`; unnecessary if a round takes seconds. */
  readonly warmUp?: boolean
}

export interface Measurement {
  readonly samples: readonly number[]
  /** Whether the only sample is from before the warm-up that other contenders had. */
  readonly cold: boolean
  /** Why the contender was given up; earlier samples are kept. */
  readonly failure: unknown
}

/**
 * Measures contenders in turns, in a new order each turn, so that other load on the machine affects all of
 * them equally. Two rounds of each are not measured: they warm up and show what a round costs (without
 * warm-up, one round, which counts). Slow contenders then take part in fewer rounds, spread over the whole
 * time.
 *
 * Throws the reason of `signal` if that ended the measurement.
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
  while (runs.some((run) => run.lacksRounds(options))) {
    for (const run of shuffled(runs, options.random)) {
      options.signal?.throwIfAborted()
      if (run.lacksRounds(options)) await run.measure()
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
    const isFirm = typeof leastRounds === 'function'
    if (turn === 'cold' && cost > budgetMs && !isFirm) this.#isTooSlow = true
    if (turn === 'first' || this.#isTooSlow) this.#samples.push(sample)
    const wanted = isFirm ? leastRounds(sample) : leastRounds
    const least = wanted * cost > patienceMs ? 1 : wanted
    const affordable = Math.min(rounds, Math.max(least, Math.floor(budgetMs / cost)))
    this.#planned = this.#isTooSlow ? 0 : affordable - this.#samples.length
  }

  isDue(turn: number, rounds: number): boolean {
    if (this.#failure !== undefined) return false
    return Math.floor((turn * this.#planned) / rounds) > Math.floor(((turn - 1) * this.#planned) / rounds)
  }

  /** The rehearsal may have been slower than the rounds, and then planned too few of them. */
  lacksRounds({ rounds, leastRounds }: InterleaveOptions): boolean {
    if (this.#failure !== undefined || typeof leastRounds === 'number' || this.#samples.length === 0)
      return false
    return this.#samples.length < Math.min(rounds, leastRounds(summarize(this.#samples).median))
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
