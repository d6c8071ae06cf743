import { summarize } from './measure.ts'
import { type BenchResults, type CellKey, findCell, type MeasuredCell } from './results.ts'

/** Two runs compared, figure by figure. */
export interface Comparison {
  /** Median of the ratios of later to earlier times. Most likely due to the machine. */
  readonly drift: number
  /** Share of figures whose median lies between the minimum and the maximum of the earlier run. */
  readonly within: number
  /** Differences beyond noise, corrected for drift, the largest first. */
  readonly changed: readonly Change[]
  /** Number of figures in both runs. */
  readonly compared: number
}

export interface Change extends CellKey {
  readonly beforeMs: number
  readonly afterMs: number
  /** Ratio of later to earlier time, corrected for drift: 2 means twice as slow. */
  readonly ratio: number
}

/** Smaller changes are not reported, even if they are significant. */
const LEAST_CHANGE = 1.25
/** The spread of fewer rounds is unknown. */
const LEAST_ROUNDS = 3

/**
 * A difference counts if the interquartile ranges do not overlap and it exceeds a quarter. A slowdown or
 * speedup of the whole machine is removed first.
 */
export function compareRuns(after: BenchResults, before: BenchResults): Comparison {
  const pairs = after.cells.flatMap((cell) => {
    const earlier = findCell(before, cell)
    return cell.outcome === 'measured' && earlier?.outcome === 'measured' ? [{ cell, earlier }] : []
  })
  const ratios = pairs.filter(({ earlier }) => earlier.median > 0).map(ratioOf)
  const drift = ratios.length === 0 ? 1 : summarize(ratios).median
  const changed = pairs
    .filter(({ cell, earlier }) => differ(cell, earlier, drift))
    .map((pair) => changeOf(pair, drift))
    .toSorted((a, b) => Math.abs(Math.log(b.ratio)) - Math.abs(Math.log(a.ratio)))
  const within = pairs.filter(({ cell, earlier }) => cell.median >= earlier.min && cell.median <= earlier.max)
  return {
    drift,
    within: pairs.length === 0 ? 1 : within.length / pairs.length,
    changed,
    compared: pairs.length,
  }
}

interface Pair {
  readonly cell: MeasuredCell
  readonly earlier: MeasuredCell
}

function ratioOf({ cell, earlier }: Pair): number {
  return cell.median / earlier.median
}

function differ(cell: MeasuredCell, earlier: MeasuredCell, drift: number): boolean {
  if (Math.min(cell.n, earlier.n) < LEAST_ROUNDS || earlier.median === 0) return false
  const change = ratioOf({ cell, earlier }) / drift
  if (Math.max(change, 1 / change) < LEAST_CHANGE) return false
  return cell.q1 / drift > earlier.q3 || cell.q3 / drift < earlier.q1
}

function changeOf({ cell, earlier }: Pair, drift: number): Change {
  const { server, case: id, rows, method } = cell
  return {
    server,
    case: id,
    rows,
    method,
    beforeMs: earlier.median,
    afterMs: cell.median,
    ratio: ratioOf({ cell, earlier }) / drift,
  }
}
