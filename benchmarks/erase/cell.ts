import { interleave, type Measurement, summarize } from '../../src/bench/measure.ts'
import { messageOf } from '../../src/errors.ts'
import type { Random } from '../../src/generate/random.ts'
import { roundTo } from '../options.ts'
import type { Figures } from './child.ts'
import type { EngineName, MethodInfo } from './method.ts'
import { fastestHandWritten, type Timed, type Untimed } from './results.ts'
import { rowsPerRoot, type Tree } from './tree.ts'
import { TreeFixture } from './tree-fixture.ts'
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
  methods: readonly MethodInfo[],
  { rounds, budgetSeconds, random }: CellOptions,
): Promise<Map<string, Timed | Untimed>> {
  await using fixture = await TreeFixture.prepare(url, engine, tree)
  const contenders: Contender[] = []
  const outcomes = new Map<string, Timed | Untimed>()
  try {
    for (const method of methods) {
      try {
        contenders.push(await Contender.begin(method, fixture, { engine, tree, budgetSeconds }))
      } catch (error) {
        outcomes.set(method.id, { outcome: 'failed', reason: messageOf(error) })
      }
    }
    await fixture.stash()
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
  return withRatios(methods, outcomes)
}

function withRatios(
  methods: readonly MethodInfo[],
  outcomes: ReadonlyMap<string, Timed | Untimed>,
): Map<string, Timed | Untimed> {
  const where = { server: '', shape: 'fan', depth: 0, rows: 0 } as const
  const cells = [...outcomes].map(([method, outcome]) => ({ ...where, method, run: 0, ...outcome }))
  const handWrittenMs = fastestHandWritten({ methods, cells }, where)
  if (handWrittenMs === undefined) return new Map(outcomes)
  return new Map(
    [...outcomes].map(([method, outcome]) => [
      method,
      outcome.outcome === 'measured'
        ? { ...outcome, toHandWritten: roundTo(outcome.median / handWrittenMs) }
        : outcome,
    ]),
  )
}

class Contender {
  readonly id: string
  readonly #method: MethodInfo
  readonly #fixture: TreeFixture
  readonly #worker: Worker
  readonly #budgetSeconds: number | undefined
  #last: Figures | undefined

  private constructor(
    method: MethodInfo,
    fixture: TreeFixture,
    worker: Worker,
    budgetSeconds: number | undefined,
  ) {
    this.id = method.id
    this.#method = method
    this.#fixture = fixture
    this.#worker = worker
    this.#budgetSeconds = budgetSeconds
  }

  static async begin(
    method: MethodInfo,
    fixture: TreeFixture,
    { engine, tree, budgetSeconds }: { engine: EngineName; tree: Tree; budgetSeconds: number },
  ): Promise<Contender> {
    const { depth } = tree
    const context = { url: fixture.url, engine, depth, rowsPerRoot: rowsPerRoot(tree) }
    const worker = await Worker.begin({ method, context })
    const isStopped = method.kind === 'loop' || method.kind === 'orm'
    return new Contender(method, fixture, worker, isStopped ? budgetSeconds : undefined)
  }

  async round(): Promise<number> {
    await this.#fixture.restore(this.#method.family)
    try {
      this.#last = await this.#worker.erase(this.#budgetSeconds)
    } catch (error) {
      await this.#fixture.endSessionOfKilled()
      throw error
    }
    await this.#fixture.verify(this.#method.family)
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
