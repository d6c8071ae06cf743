/** Statistics of repeated measurements. */
export interface Summary {
  /** Number of samples. */
  readonly n: number
  readonly median: number
  /** First quartile; `q3` is the third. */
  readonly q1: number
  readonly q3: number
  readonly min: number
  readonly max: number
}

/** @throws RangeError if there are no samples */
export function summarize(samples: readonly number[]): Summary {
  if (samples.length === 0) throw new RangeError('nothing was measured')
  const sorted = [...samples].sort((a, b) => a - b)
  return {
    n: sorted.length,
    median: quantileOf(sorted, 0.5),
    q1: quantileOf(sorted, 0.25),
    q3: quantileOf(sorted, 0.75),
    min: quantileOf(sorted, 0),
    max: quantileOf(sorted, 1),
  }
}

/** @param sorted ascending. Interpolates linearly, as R (type 7) and NumPy do. */
export function quantileOf(sorted: readonly number[], share: number): number {
  const rank = (sorted.length - 1) * share
  const below = sorted[Math.floor(rank)] ?? 0
  const above = sorted[Math.ceil(rank)] ?? below
  return below + (above - below) * (rank % 1)
}
