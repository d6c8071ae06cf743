import { interleave, type Measurement, summarize } from '../../src/bench/measure.ts'
import type { Random } from '../../src/generate/random.ts'
import { roundTo } from '../options.ts'
import type { BenchServer } from '../servers.ts'
import type { Method, MethodContext } from './method.ts'
import { openMethodContext } from './method-context.ts'
import type { Cell, Settings, Timed, Untimed, Where } from './results.ts'
import { TestRun } from './test-run.ts'

/** Factor of the budget for the methods in the README's claims: afresh, hand-written SQL, SELECT 1. */
const CLAIMED = 6

export interface MatrixOptions extends Omit<Settings, 'rowsPerTable' | 'minutes' | 'tookSeconds'> {
  readonly methods: readonly Method[]
  readonly random: Random
  /** From this time on (`Date.now()`) peers are left out, so that the run ends in time. */
  readonly peersUntil: number
  /** Called before each cell. */
  readonly onCell: (where: Where) => void
}

/** Up to this number of tables no peer is left out: the README compares there. */
const FOR_ALL = 100

/** A schema, and the numbers of its tables that the tests write to. */
export interface Block {
  readonly tables: number
  readonly dirty: readonly number[]
  readonly baseline: Where['baseline']
}

/** Measures everything on one server: the methods of a cell in turns, smaller schemas first. */
export async function runMatrix(
  server: BenchServer,
  blocks: readonly Block[],
  options: MatrixOptions,
): Promise<Cell[]> {
  const cells: Cell[] = []
  for (const block of blocks) {
    await using context = await openMethodContext(server, block.tables, block.baseline === 'reference')
    cells.push(...(await runBlock(context, block, tooSlow(cells, options, block.tables), options)))
  }
  return cells
}

async function runBlock(
  context: MethodContext,
  block: Block,
  out: ReadonlyMap<string, string>,
  options: MatrixOptions,
): Promise<Cell[]> {
  const runs: TestRun[] = []
  const failed = new Map<string, string>()
  try {
    const fitting = options.methods.filter((method) => fits(method, context))
    for (const method of fitting.filter(({ id }) => !out.has(id))) {
      try {
        runs.push(await TestRun.begin(method, context))
      } catch (error) {
        failed.set(method.id, firstLine(error))
      }
    }
    const cells: Cell[] = []
    const looks = new Looks(options.random)
    for (const dirty of block.dirty) {
      const where: Where = {
        server: context.server.id,
        tables: block.tables,
        dirty,
        baseline: block.baseline,
      }
      options.onCell(where)
      const timed = await runCell(runs, dirty, looks, options)
      for (const { id } of fitting)
        cells.push({ ...where, method: id, ...(timed.get(id) ?? untimed(id, out, failed)) })
    }
    return cells
  } finally {
    for (const run of runs) await run[Symbol.asyncDispose]()
  }
}

function fits(method: Method, { engine, server }: MethodContext): boolean {
  if (!method.engines.includes(engine)) return false
  return method.containerOnly === undefined || server.running.containerId !== undefined
}

function untimed(id: string, out: ReadonlyMap<string, string>, failed: ReadonlyMap<string, string>): Untimed {
  const reason = out.get(id)
  return reason === undefined
    ? { outcome: 'failed', reason: failed.get(id) ?? 'did not open' }
    : { outcome: 'left out', reason }
}

async function runCell(
  runs: readonly TestRun[],
  dirty: number,
  looks: Looks,
  options: MatrixOptions,
): Promise<Map<string, Timed | Untimed>> {
  const { random, rounds, leastRounds, budgetMs } = options
  const peers = new Set(runs.flatMap(({ method }) => (method.kind === 'peer' ? [method.id] : [])))
  const contenders = runs.map((run) => run.contender(random, dirty))
  const budgetOf = (id: string) => (peers.has(id) ? budgetMs : budgetMs * CLAIMED)
  const measured = await interleave(contenders, { random, rounds, leastRounds, budgetOf })
  const outcomes = new Map<string, Timed | Untimed>()
  for (const run of runs) {
    const result = measured.get(run.method.id)
    if (result !== undefined) outcomes.set(run.method.id, await outcomeOf(run, dirty, result, looks))
  }
  return outcomes
}

/** What each method does not restore, checked once per block, and not where nothing was written. */
class Looks {
  readonly #random: Random
  readonly #seen = new Map<string, string[]>()

  constructor(random: Random) {
    this.#random = random
  }

  async measureAt(run: TestRun, dirty: number): Promise<string[]> {
    if (dirty === 0) return []
    const seen = this.#seen.get(run.method.id) ?? (await run.leaves(this.#random, dirty))
    this.#seen.set(run.method.id, seen)
    return seen
  }
}

async function outcomeOf(
  run: TestRun,
  dirty: number,
  measured: Measurement,
  looks: Looks,
): Promise<Timed | Untimed> {
  if (measured.failure !== undefined) return { outcome: 'failed', reason: firstLine(measured.failure) }
  const { n, median, q1, q3 } = summarize(measured.samples)
  let leaves: string[]
  try {
    leaves = await looks.measureAt(run, dirty)
  } catch (error) {
    return { outcome: 'failed', reason: `when its result was inspected: ${firstLine(error)}` }
  }
  return {
    outcome: 'measured',
    n,
    median: roundTo(median),
    q1: roundTo(q1),
    q3: roundTo(q3),
    cold: measured.cold,
    leaves,
  }
}

/**
 * The peers whose reset would take longer than the limit with this number of tables, extrapolated from
 * smaller schemas. With a single size measured, the time grows with the square, like TRUNCATE … CASCADE table
 * by table.
 */
function tooSlow(
  cells: readonly Cell[],
  { methods, tooSlowMs, peersUntil }: MatrixOptions,
  tables: number,
): Map<string, string> {
  const peers = methods.filter(({ kind }) => kind === 'peer')
  if (Date.now() > peersUntil) return new Map(peers.map(({ id }) => [id, 'the time was up']))
  const out = new Map<string, string>()
  if (tables <= FOR_ALL) return out
  for (const { id } of peers) {
    const expected = expectedMs(sizesOf(cells, id), tables)
    if (expected > tooSlowMs) out.set(id, `a reset would take about ${Math.round(expected / 1000)} s`)
  }
  return out
}

/**
 * The largest median for each number of tables. Cells with all tables dirty do not count: every method may be
 * slow there.
 */
function sizesOf(cells: readonly Cell[], method: string): (readonly [tables: number, ms: number])[] {
  const sizes = new Map<number, number>()
  for (const cell of cells) {
    if (cell.outcome === 'measured' && cell.method === method && cell.dirty < cell.tables) {
      sizes.set(cell.tables, Math.max(cell.median, sizes.get(cell.tables) ?? 0))
    }
  }
  return [...sizes]
}

function expectedMs(sizes: readonly (readonly [tables: number, ms: number])[], tables: number): number {
  const [[few, fewMs], [many, manyMs]] = [sizes.at(-2) ?? [1, 0], sizes.at(-1) ?? [tables, 0]]
  const power = fewMs === 0 ? 2 : Math.log(manyMs / fewMs) / Math.log(many / few)
  return manyMs * (tables / many) ** power
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.split('\n')[0] ?? text
}
