import { interleave, type Measured, summarize } from '../../src/bench/measure.ts'
import type { Random } from '../../src/generate/random.ts'
import { roundTo } from '../options.ts'
import type { BenchServer } from '../servers.ts'
import { prepareGround } from './ground.ts'
import type { Cell, Settings, Timed, Untimed, Where } from './results.ts'
import { TestRun } from './test-run.ts'
import type { Place, Way } from './way.ts'

/** Times the budget for what the README claims something of: afresh, by hand, SELECT 1. */
const CLAIMED = 6

export interface MatrixOptions extends Omit<Settings, 'rowsPerTable' | 'tookSeconds'> {
  readonly ways: readonly Way[]
  readonly random: Random
  /** Called before each cell. */
  readonly onCell: (where: Where) => void
}

/** A schema, and how many of its tables the tests write to. */
export interface Block {
  readonly tables: number
  readonly dirty: readonly number[]
  readonly baseline: Where['baseline']
}

/** A peer that is not asked for more tables than these. */
interface Slow {
  readonly tables: number
  readonly reason: string
}

/** Everything on one server: all ways of a cell in turns, smaller schemas first. */
export async function runMatrix(
  server: BenchServer,
  blocks: readonly Block[],
  options: MatrixOptions,
): Promise<Cell[]> {
  const cells: Cell[] = []
  const slow = new Map<string, Slow>()
  for (const block of blocks) {
    await using place = await prepareGround(server, block.tables, block.baseline === 'reference')
    const found = await runBlock(place, block, slow, options)
    cells.push(...found)
    noteSlow(found, slow, options.tooSlowMs)
  }
  return cells
}

async function runBlock(
  place: Place,
  block: Block,
  slow: ReadonlyMap<string, Slow>,
  options: MatrixOptions,
): Promise<Cell[]> {
  const runs: TestRun[] = []
  const out = new Map([...slow].flatMap(([id, at]) => (at.tables < block.tables ? [[id, at.reason]] : [])))
  const failed = new Map<string, string>()
  try {
    const fitting = options.ways.filter((way) => fits(way, place))
    for (const way of fitting.filter(({ id }) => !out.has(id))) {
      try {
        runs.push(await TestRun.begin(way, place))
      } catch (error) {
        failed.set(way.id, firstLine(error))
      }
    }
    const cells: Cell[] = []
    for (const dirty of block.dirty) {
      const where: Where = { server: place.server.id, tables: block.tables, dirty, baseline: block.baseline }
      options.onCell(where)
      const timed = await runCell(runs, dirty, options)
      for (const { id } of fitting)
        cells.push({ ...where, way: id, ...(timed.get(id) ?? untimed(id, out, failed)) })
    }
    return cells
  } finally {
    for (const run of runs) await run[Symbol.asyncDispose]()
  }
}

function fits(way: Way, { engine, server }: Place): boolean {
  if (!way.engines.includes(engine)) return false
  return way.containerOnly === undefined || server.running.containerId !== undefined
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
  options: MatrixOptions,
): Promise<Map<string, Timed | Untimed>> {
  const { random, rounds, leastRounds, budgetMs } = options
  const peers = new Set(runs.flatMap(({ way }) => (way.kind === 'peer' ? [way.id] : [])))
  const contenders = runs.map((run) => run.contender(random, dirty))
  const budgetOf = (id: string) => (peers.has(id) ? budgetMs : budgetMs * CLAIMED)
  const measured = await interleave(contenders, { random, rounds, leastRounds, budgetOf })
  const outcomes = new Map<string, Timed | Untimed>()
  for (const run of runs) {
    const result = measured.get(run.way.id)
    if (result !== undefined) outcomes.set(run.way.id, await outcomeOf(run, dirty, result, random))
  }
  return outcomes
}

async function outcomeOf(
  run: TestRun,
  dirty: number,
  measured: Measured,
  random: Random,
): Promise<Timed | Untimed> {
  if (measured.failure !== undefined) return { outcome: 'failed', reason: firstLine(measured.failure) }
  const { n, median, q1, q3 } = summarize(measured.samples)
  let leaves: string[]
  try {
    leaves = await run.leaves(random, dirty)
  } catch (error) {
    return { outcome: 'failed', reason: `when its result was looked at: ${firstLine(error)}` }
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

/** With more tables it would only take longer. Where every table is dirty, everybody may be slow. */
function noteSlow(cells: readonly Cell[], slow: Map<string, Slow>, limitMs: number): void {
  for (const cell of cells) {
    if (cell.outcome !== 'measured' || cell.median <= limitMs || cell.dirty === cell.tables) continue
    const seconds = roundTo(cell.median / 1000, 1)
    slow.set(cell.way, {
      tables: cell.tables,
      reason: `a reset of ${cell.tables} tables took ${seconds} s already`,
    })
  }
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.split('\n')[0] ?? text
}
