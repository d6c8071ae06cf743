import { summarize } from './measure.ts'
import { type BenchResults, type CellKey, findCell, type MeasuredCell } from './results.ts'

/** Two runs held against each other, figure by figure. */
export interface Comparison {
  /** How much longer everything takes now: the median of all ratios. The machine, most likely. */
  readonly drift: number
  /** The share of figures whose median lies within what the earlier run saw, from its least to its most. */
  readonly within: number
  /** What differs by more than noise, drift taken out; the largest difference first. */
  readonly changed: readonly Change[]
  /** How many figures both runs have. */
  readonly compared: number
}

export interface Change extends CellKey {
  readonly beforeMs: number
  readonly afterMs: number
  /** After to before, drift taken out: 2 is twice as slow as it was. */
  readonly ratio: number
}

/** Less is no news, however sure it is. */
const LEAST_CHANGE = 1.25
/** Of fewer times nobody knows how they spread. */
const LEAST_ROUNDS = 3

/**
 * A difference counts where the middle halves of the times lie apart and it is more than a quarter. What the whole
 * machine was slower or faster by is taken out first.
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
  const { server, case: id, rows, way } = cell
  return {
    server,
    case: id,
    rows,
    way,
    beforeMs: earlier.median,
    afterMs: cell.median,
    ratio: ratioOf({ cell, earlier }) / drift,
  }
}
