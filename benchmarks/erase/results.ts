import type { Machine } from '../../src/bench/machine.ts'
import type { MethodInfo } from './method.ts'
import type { Shape } from './tree.ts'

/** The content of results.json. Times are in milliseconds. */
export interface Results {
  readonly format: 1
  /** The commands that wrote to the file, in order. */
  readonly runs: readonly RunInfo[]
  readonly methods: readonly MethodInfo[]
  readonly cells: readonly Cell[]
}

export interface RunInfo {
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
  readonly servers: readonly ServerInfo[]
}

export interface ServerInfo {
  readonly id: string
  readonly title: string
  readonly version: string
}

export interface Setting {
  readonly server: string
  readonly shape: Shape
  readonly depth: number
  readonly rows: number
}

export type Cell = Setting & {
  readonly method: string
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
  readonly toHandWritten?: number
  readonly roundTrips?: number
  /** Memory of its process: when it was ready, and the peak. */
  readonly readyRssMb: number
  readonly peakRssMb: number
}

export interface Untimed {
  readonly outcome: 'over the budget' | 'not run' | 'failed'
  readonly reason: string
}

export function hasSetting(cell: Setting, { server, shape, depth, rows }: Setting): boolean {
  return cell.server === server && cell.shape === shape && cell.depth === depth && cell.rows === rows
}

/** The median of the fastest hand-written SQL. */
export function fastestHandWritten(
  { methods, cells }: Pick<Results, 'methods' | 'cells'>,
  where: Setting,
): number | undefined {
  const handWritten = new Set(methods.filter(({ kind }) => kind === 'hand').map(({ id }) => id))
  const medians = cells.flatMap((cell) =>
    hasSetting(cell, where) && handWritten.has(cell.method) && cell.outcome === 'measured' ? cell.median : [],
  )
  return medians.length === 0 ? undefined : Math.min(...medians)
}

/** Adds a run to earlier results. What the run measures again replaces the old cells. */
export function mergeRun(before: Results | undefined, run: RunInfo, methods: readonly MethodInfo[]): Results {
  const {
    runs,
    cells,
    methods: known,
  } = withoutEmptyRuns(before ?? { format: 1, runs: [], methods: [], cells: [] })
  return {
    format: 1,
    runs: [...runs, run],
    methods: [...methods, ...known.filter(({ id }) => !methods.some((method) => method.id === id))],
    cells,
  }
}

/** Omits runs whose cells were all measured again. */
function withoutEmptyRuns(results: Results): Results {
  const keptRuns = results.runs.flatMap((_, index) =>
    results.cells.some(({ run }) => run === index) ? [index] : [],
  )
  return {
    ...results,
    runs: results.runs.filter((_, index) => keptRuns.includes(index)),
    cells: results.cells.map((cell) => ({ ...cell, run: keptRuns.indexOf(cell.run) })),
  }
}

export function withCells(results: Results, where: Setting, cells: readonly Cell[]): Results {
  const replaced = new Set(cells.map(({ method }) => method))
  const others = results.cells.filter((cell) => !hasSetting(cell, where) || !replaced.has(cell.method))
  return { ...results, cells: [...others, ...cells] }
}
