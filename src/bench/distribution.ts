import { quantileOf } from './summary.ts'

/**
 * What the median of some times does not show. `bimodal`: two groups of times, far apart, each of a quarter of
 * them or more. `stalls`: at least a tenth of them took three times the median.
 */
export type Oddity = 'bimodal' | 'stalls'

const LEAST_SAMPLES = 10
/** Of the smaller of two groups. */
const LEAST_SHARE = 0.25
/** Between the medians of two groups, and of a gap over what the groups spread. */
const APART = 1.5
const GAP_OVER_SPREAD = 1.5
const STALL = 3
const STALL_SHARE = 0.1

/** `undefined` if the times are as they should be: around one value, with few exceptions. */
export function oddityOf(samples: readonly number[]): Oddity | undefined {
  if (samples.length < LEAST_SAMPLES) return undefined
  const sorted = samples.toSorted((a, b) => a - b)
  if (isBimodal(sorted)) return 'bimodal'
  const median = quantileOf(sorted, 0.5)
  const stalls = sorted.filter((ms) => ms > STALL * median).length
  return stalls >= Math.max(2, STALL_SHARE * sorted.length) ? 'stalls' : undefined
}

/** Splits the times at their largest gap, by ratio, that leaves enough on both sides. */
function isBimodal(sorted: readonly number[]): boolean {
  const logs = sorted.map((ms) => Math.log(Math.max(ms, 1e-6)))
  const least = Math.ceil(LEAST_SHARE * logs.length)
  let split = least
  const gapAt = (index: number) => (logs[index] ?? 0) - (logs[index - 1] ?? 0)
  for (let index = least; index <= logs.length - least; index++)
    if (gapAt(index) > gapAt(split)) split = index
  const [low, high] = [logs.slice(0, split), logs.slice(split)]
  const apart = quantileOf(high, 0.5) - quantileOf(low, 0.5)
  const spread = Math.max(spreadOf(low), spreadOf(high))
  return apart > Math.log(APART) && gapAt(split) > GAP_OVER_SPREAD * spread
}

/** From the first to the third quartile. */
function spreadOf(sorted: readonly number[]): number {
  return quantileOf(sorted, 0.75) - quantileOf(sorted, 0.25)
}
