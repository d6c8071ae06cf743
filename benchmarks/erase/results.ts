import type { Machine } from '../../src/bench/machine.ts'
import type { Shape } from './tree.ts'
import type { WayFacts } from './way.ts'

/** The content of results.json. Times are in milliseconds. */
export interface Results {
  readonly format: 1
  /** The commands that wrote to the file, in order. */
  readonly runs: readonly RunFacts[]
  readonly ways: readonly WayFacts[]
  readonly cells: readonly Cell[]
}

export interface RunFacts {
  readonly date: string
  readonly machine: Machine
  readonly settings: {
    /** The most rounds of a method in a cell. */
    readonly rounds: number
    /** A loop or an ORM that takes more seconds is stopped, and not run with more rows. */
    readonly budgetSeconds: number
    readonly seed: number
  }
  readonly packages: Readonly<Record<string, string>>
  readonly servers: readonly ServerFacts[]
}

export interface ServerFacts {
  readonly id: string
  readonly title: string
  readonly version: string
}

export interface Where {
  readonly server: string
  readonly shape: Shape
  readonly depth: number
  readonly rows: number
}

export type Cell = Where & {
  readonly way: string
  /** The index of its run in `runs`: all times of one cell are from one run. */
  readonly run: number
} & (Timed | Untimed)

export interface Timed {
  readonly outcome: 'measured'
  readonly n: number
  readonly median: number
  readonly q1: number
  readonly q3: number
  /** Ratio of the median to that of the fastest hand-written SQL; absent if that was not measured. */
  readonly ofHand?: number
  readonly roundTrips?: number
  /** Memory of its process: when it was ready, and the peak. */
  readonly readyRssMb: number
  readonly peakRssMb: number
}

export interface Untimed {
  readonly outcome: 'over the budget' | 'not run' | 'failed'
  readonly reason: string
}

export function isAt(cell: Where, { server, shape, depth, rows }: Where): boolean {
  return cell.server === server && cell.shape === shape && cell.depth === depth && cell.rows === rows
}

/** The median of the fastest hand-written SQL. */
export function handOf({ ways, cells }: Pick<Results, 'ways' | 'cells'>, where: Where): number | undefined {
  const hands = new Set(ways.filter(({ kind }) => kind === 'hand').map(({ id }) => id))
  const medians = cells.flatMap((cell) =>
    isAt(cell, where) && hands.has(cell.way) && cell.outcome === 'measured' ? cell.median : [],
  )
  return medians.length === 0 ? undefined : Math.min(...medians)
}

/** Adds a run to earlier results. What the run measures again replaces the old cells. */
export function merged(before: Results | undefined, run: RunFacts, ways: readonly WayFacts[]): Results {
  const { runs, cells, ways: known } = withoutLostRuns(before ?? { format: 1, runs: [], ways: [], cells: [] })
  return {
    format: 1,
    runs: [...runs, run],
    ways: [...ways, ...known.filter(({ id }) => !ways.some((way) => way.id === id))],
    cells,
  }
}

/** Omits runs whose cells were all measured again. */
function withoutLostRuns(results: Results): Results {
  const left = results.runs.flatMap((_, index) =>
    results.cells.some(({ run }) => run === index) ? [index] : [],
  )
  return {
    ...results,
    runs: results.runs.filter((_, index) => left.includes(index)),
    cells: results.cells.map((cell) => ({ ...cell, run: left.indexOf(cell.run) })),
  }
}

export function withCells(results: Results, where: Where, cells: readonly Cell[]): Results {
  const replaced = new Set(cells.map(({ way }) => way))
  const others = results.cells.filter((cell) => !isAt(cell, where) || !replaced.has(cell.way))
  return { ...results, cells: [...others, ...cells] }
}
