import { type Interval, ratioInterval } from './bootstrap.ts'
import { summarize } from './measure.ts'
import { type BenchResults, type CellKey, findCell, type MeasuredCell } from './results.ts'

/** Two runs compared, figure by figure. */
export interface Comparison {
  /** Median of the ratios of later to earlier times: far from 1, the machine or its load is another one. */
  readonly drift: number
  /** Share of figures whose median lies between the minimum and the maximum of the earlier run. */
  readonly within: number
  /** Differences beyond noise, the largest first. */
  readonly changed: readonly Change[]
  /** Number of figures in both runs. */
  readonly compared: number
}

export interface Change extends CellKey {
  readonly beforeMs: number
  readonly afterMs: number
  /** `afterMs` over `beforeMs`: 2 means that it takes twice as long. */
  readonly ratio: number
  /** 95 % interval of `ratio`, by the samples of both runs. */
  readonly interval: Interval
  /** `ratio` over the drift of all figures. */
  readonly besideDrift: number
}

/** Smaller changes are not reported, even if they are significant. */
const LEAST_CHANGE = 1.25
/** The spread of fewer rounds is unknown. */
const LEAST_ROUNDS = 3

/** A difference counts if the interval of the ratio excludes 1, and the ratio exceeds a quarter. */
export function compareRuns(after: BenchResults, before: BenchResults): Comparison {
  const pairs = after.cells.flatMap((cell) => {
    const earlier = findCell(before, cell)
    return cell.outcome === 'measured' && earlier?.outcome === 'measured' ? [{ cell, earlier }] : []
  })
  const ratios = pairs.filter(({ earlier }) => earlier.median > 0).map(ratioOf)
  const drift = ratios.length === 0 ? 1 : summarize(ratios).median
  const within = pairs.filter(({ cell, earlier }) => cell.median >= earlier.min && cell.median <= earlier.max)
  return {
    drift,
    within: pairs.length === 0 ? 1 : within.length / pairs.length,
    changed: pairs
      .flatMap((pair) => changeOf(pair, drift))
      .toSorted((a, b) => Math.abs(Math.log(b.ratio)) - Math.abs(Math.log(a.ratio))),
    compared: pairs.length,
  }
}

/** The changes that certainly take more than `factor` times as long: the whole interval lies above it. */
export function slowerThan({ changed }: Comparison, factor: number): Change[] {
  return changed.filter(({ interval }) => interval.low > factor)
}

interface Pair {
  readonly cell: MeasuredCell
  readonly earlier: MeasuredCell
}

function ratioOf({ cell, earlier }: Pair): number {
  return cell.median / earlier.median
}

function changeOf({ cell, earlier }: Pair, drift: number): Change[] {
  if (Math.min(cell.n, earlier.n) < LEAST_ROUNDS || earlier.median === 0) return []
  const ratio = ratioOf({ cell, earlier })
  const interval = ratioInterval(cell, earlier)
  if (Math.max(ratio, 1 / ratio) < LEAST_CHANGE || (interval.low <= 1 && interval.high >= 1)) return []
  const { server, case: id, rows, method } = cell
  return [
    {
      ...{ server, case: id, rows, method, ratio, interval },
      beforeMs: earlier.median,
      afterMs: cell.median,
      besideDrift: ratio / drift,
    },
  ]
}
