import { interleave, type Measurement, summarize } from '../../src/bench/measure.ts'
import { messageOf } from '../../src/errors.ts'
import type { Random } from '../../src/generate/random.ts'
import { roundTo } from '../options.ts'
import type { Figures } from './child.ts'
import { Ground } from './ground.ts'
import { handOf, type Timed, type Untimed } from './results.ts'
import { rowsPerRoot, type Tree } from './tree.ts'
import type { EngineName, WayFacts } from './way.ts'
import { OverBudget, Worker } from './worker.ts'

export interface CellOptions {
  readonly rounds: number
  readonly budgetSeconds: number
  readonly random: Random
}

const LEAST_ROUNDS = 3
/** With more rows a round takes so long that cold caches do not matter. */
const MOST_WARMED_ROWS = 10_000

/** Measures all methods in turns, in the same tables, with all rows restored each time. */
export async function measureCell(
  url: string,
  engine: EngineName,
  tree: Tree,
  ways: readonly WayFacts[],
  { rounds, budgetSeconds, random }: CellOptions,
): Promise<Map<string, Timed | Untimed>> {
  await using ground = await Ground.prepare(url, engine, tree)
  const contenders: Contender[] = []
  const outcomes = new Map<string, Timed | Untimed>()
  try {
    for (const way of ways) {
      try {
        contenders.push(await Contender.begin(way, ground, { engine, tree, budgetSeconds }))
      } catch (error) {
        outcomes.set(way.id, { outcome: 'failed', reason: messageOf(error) })
      }
    }
    await ground.stash()
    const all = await interleave(contenders, {
      rounds,
      leastRounds: Math.min(LEAST_ROUNDS, rounds),
      patienceMs: LEAST_ROUNDS * budgetSeconds * 1000,
      budgetOf: () => 5 * budgetSeconds * 1000,
      random,
      warmUp: tree.rows <= MOST_WARMED_ROWS,
    })
    for (const contender of contenders) {
      const measured = all.get(contender.id)
      if (measured !== undefined) outcomes.set(contender.id, contender.outcome(measured))
    }
  } finally {
    for (const contender of contenders) await contender.close()
  }
  return withRatios(ways, outcomes)
}

function withRatios(
  ways: readonly WayFacts[],
  outcomes: ReadonlyMap<string, Timed | Untimed>,
): Map<string, Timed | Untimed> {
  const where = { server: '', shape: 'fan', depth: 0, rows: 0 } as const
  const cells = [...outcomes].map(([way, outcome]) => ({ ...where, way, run: 0, ...outcome }))
  const hand = handOf({ ways, cells }, where)
  if (hand === undefined) return new Map(outcomes)
  return new Map(
    [...outcomes].map(([way, outcome]) => [
      way,
      outcome.outcome === 'measured' ? { ...outcome, ofHand: roundTo(outcome.median / hand) } : outcome,
    ]),
  )
}

class Contender {
  readonly id: string
  readonly #way: WayFacts
  readonly #ground: Ground
  readonly #worker: Worker
  readonly #budgetSeconds: number | undefined
  #last: Figures | undefined

  private constructor(way: WayFacts, ground: Ground, worker: Worker, budgetSeconds: number | undefined) {
    this.id = way.id
    this.#way = way
    this.#ground = ground
    this.#worker = worker
    this.#budgetSeconds = budgetSeconds
  }

  static async begin(
    way: WayFacts,
    ground: Ground,
    { engine, tree, budgetSeconds }: { engine: EngineName; tree: Tree; budgetSeconds: number },
  ): Promise<Contender> {
    const { depth } = tree
    const context = { url: ground.url, engine, depth, rowsPerRoot: rowsPerRoot(tree) }
    const worker = await Worker.begin({ way, context: context })
    const isStopped = way.kind === 'loop' || way.kind === 'orm'
    return new Contender(way, ground, worker, isStopped ? budgetSeconds : undefined)
  }

  async round(): Promise<number> {
    await this.#ground.restore(this.#way.family)
    try {
      this.#last = await this.#worker.erase(this.#budgetSeconds)
    } catch (error) {
      await this.#ground.endLeft()
      throw error
    }
    await this.#ground.verify(this.#way.family)
    return this.#last.ms
  }

  outcome({ samples, failure }: Measurement): Timed | Untimed {
    if (failure instanceof OverBudget) return { outcome: 'over the budget', reason: failure.message }
    if (failure !== undefined) return { outcome: 'failed', reason: messageOf(failure) }
    if (this.#last === undefined) return { outcome: 'failed', reason: 'it was never its turn' }
    const { n, median, q1, q3 } = summarize(samples)
    const { roundTrips, readyRssMb, peakRssMb } = this.#last
    return {
      outcome: 'measured',
      n,
      median: roundTo(median),
      q1: roundTo(q1),
      q3: roundTo(q3),
      ...(roundTrips !== undefined && { roundTrips }),
      readyRssMb: Math.round(readyRssMb),
      peakRssMb: Math.round(peakRssMb),
    }
  }

  close(): Promise<void> {
    return this.#worker.close()
  }
}
