/** A figure of a way at a smaller number of rows. */
export interface Known {
  readonly rows: number
  readonly ms: number
}

/** What a way would take if it went on as it began, and from which figures that is known. */
export interface Prediction {
  readonly ms: number
  readonly from: readonly number[]
}

/** Fewer rows tell of the round trip only. */
const LEAST_ROWS = 1000
/** Steeper than n log n nothing goes here, and flatter than flat only noise. */
const STEEPEST = 1.2

/** By the last two figures, in a straight line on logarithmic axes; `undefined` where there are no two. */
export function predict(known: readonly Known[], rows: number): Prediction | undefined {
  const [last, before] = known
    .filter((figure) => figure.rows >= LEAST_ROWS && figure.rows < rows)
    .toSorted((a, b) => b.rows - a.rows)
  if (last === undefined || before === undefined || last.ms <= 0 || before.ms <= 0) return undefined
  const slope = Math.log(last.ms / before.ms) / Math.log(last.rows / before.rows)
  const ms = last.ms * (rows / last.rows) ** Math.min(STEEPEST, Math.max(0, slope))
  return { ms, from: [before.rows, last.rows] }
}
