/** A time at a smaller number of rows. */
export interface Known {
  readonly rows: number
  readonly ms: number
}

/** An extrapolated time, and the numbers of rows it is based on. */
export interface Prediction {
  readonly ms: number
  readonly from: readonly number[]
}

/** With fewer rows, the round trip dominates. */
const LEAST_ROWS = 1000
/** Nothing here grows faster than n log n, and a negative slope is noise. */
const STEEPEST = 1.2

/** Extrapolates the last two times linearly on logarithmic axes; `undefined` if there are fewer than two. */
export function predict(known: readonly Known[], rows: number): Prediction | undefined {
  const [last, before] = known
    .filter((figure) => figure.rows >= LEAST_ROWS && figure.rows < rows)
    .toSorted((a, b) => b.rows - a.rows)
  if (last === undefined || before === undefined || last.ms <= 0 || before.ms <= 0) return undefined
  const slope = Math.log(last.ms / before.ms) / Math.log(last.rows / before.rows)
  const ms = last.ms * (rows / last.rows) ** Math.min(STEEPEST, Math.max(0, slope))
  return { ms, from: [before.rows, last.rows] }
}
