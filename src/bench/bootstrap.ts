import { type Random, randomFrom } from '../generate/random.ts'
import type { MeasuredCell } from './results.ts'
import { quantileOf } from './summary.ts'

/** A 95 % interval. */
export interface Interval {
  readonly low: number
  readonly high: number
}

const RESAMPLES = 1000
const TAIL = 0.025
/** The median of fewer samples has no interval that covers it in 95 % of cases: 0.5^5 · 2 is 6 %. */
const LEAST_SAMPLES = 5

type Times = Pick<MeasuredCell, 'n' | 'median' | 'min' | 'max' | 'q1' | 'q3' | 'samples'>

/**
 * The interval of the ratio of two medians, by percentiles of medians that are drawn again from the samples
 * (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13). The same for the same samples.
 *
 * With fewer than 5 samples, from the extremes: from the fastest of one to the slowest of the other. Results
 * without samples are judged by their quartiles.
 */
export function ratioInterval(first: Times, second: Times): Interval {
  const known = kept.get(first)?.get(second)
  if (known !== undefined) return known
  const interval = intervalOf(first, second)
  const ofFirst = kept.get(first) ?? new WeakMap<Times, Interval>()
  kept.set(first, ofFirst.set(second, interval))
  return interval
}

/** A report asks for the same interval a dozen times. */
const kept = new WeakMap<Times, WeakMap<Times, Interval>>()

function intervalOf(first: Times, second: Times): Interval {
  const [a, b] = [first.samples, second.samples]
  if (a === undefined || b === undefined)
    return { low: share(first.q1, second.q3), high: share(first.q3, second.q1) }
  if (Math.min(a.length, b.length) < LEAST_SAMPLES)
    return { low: share(first.min, second.max), high: share(first.max, second.min) }
  const random = randomFrom(a.length * 31 + b.length)
  const [medianOfA, medianOfB] = [medians(a, random), medians(b, random)]
  const ratios = Array.from({ length: RESAMPLES }, () => share(medianOfA(), medianOfB()))
  const sorted = ratios.toSorted((x, y) => x - y)
  return { low: quantileOf(sorted, TAIL), high: quantileOf(sorted, 1 - TAIL) }
}

/** Each call draws as many samples again, and returns their median: counted by rank, which needs no sorting. */
function medians(samples: readonly number[], random: Random): () => number {
  const sorted = samples.toSorted((a, b) => a - b)
  const { length } = sorted
  const counts = new Uint16Array(length)
  const ranks = [(length - 1) >> 1, length >> 1]
  return () => {
    counts.fill(0)
    for (let draw = 0; draw < length; draw++) {
      const index = random.int(0, length - 1)
      counts[index] = (counts[index] ?? 0) + 1
    }
    let [sum, seen, next] = [0, 0, 0]
    for (let index = 0; next < 2; index++) {
      seen += counts[index] ?? 0
      while (next < 2 && seen > (ranks[next] ?? 0)) {
        sum += sorted[index] ?? 0
        next++
      }
    }
    return sum / 2
  }
}

/** Shorter than any clock resolves. Prevents an infinite ratio for a time of 0. */
const SHORTEST_MS = 1e-4

export function share(a: number, b: number): number {
  return Math.max(a, SHORTEST_MS) / Math.max(b, SHORTEST_MS)
}
