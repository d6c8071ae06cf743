import { type Interval, ratioInterval, share } from './bootstrap.ts'
import type { Cell } from './results.ts'

/**
 * Which of two methods to empty a table is faster, by the number of rows. Extrapolated times count only if no
 * size has measured times of both methods.
 */
export type Crossover =
  /** No size has times of both methods. */
  | { readonly kind: 'unknown' }
  /** The times do not differ clearly at any size. */
  | { readonly kind: 'equal'; readonly sizes: Span }
  | {
      readonly kind: 'always'
      readonly faster: string
      /** `sizes`: what was compared. `certain`: where `faster` is clearly faster. */
      readonly sizes: Span
      readonly certain: Span
      /** Sizes between those at which the times do not differ clearly. */
      readonly doubts: readonly number[]
      readonly isExtrapolated: boolean
    }
  | {
      readonly kind: 'crosses'
      readonly below: string
      readonly above: string
      /** Where the medians are equal. */
      readonly rows: number
      /** Where the 95 % interval of their ratio contains 1, so that neither method is clearly faster. */
      readonly range: Span
      /** Smaller sizes at which `above` is faster as well. */
      readonly exceptions: readonly number[]
      /** Sizes outside of `range` at which the times do not differ clearly. */
      readonly doubts: readonly number[]
      readonly sizes: Span
      readonly isExtrapolated: boolean
    }

/** Numbers of rows, inclusive. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** @param methods default: DELETE and TRUNCATE */
export function crossoverOf(
  cells: readonly Cell[],
  key: { readonly server: string; readonly case: string },
  [first, second]: readonly [string, string] = ['delete', 'truncate'],
): Crossover {
  const cellsOfCase = cells.filter((cell) => cell.server === key.server && cell.case === key.case)
  return crossoverOfTimes(timesOf(cellsOfCase, first), timesOf(cellsOfCase, second), [first, second])
}

type Time = Extract<Cell, { readonly median: number }>

function timesOf(cells: readonly Cell[], method: string): Map<number, Time> {
  const times = new Map<number, Time>()
  for (const cell of cells) {
    if (cell.method === method && 'median' in cell) times.set(cell.rows, cell)
  }
  return times
}

/** log10 of the first method's time over the second's, at one size: positive if the second is faster. */
interface Size {
  readonly rows: number
  /** The position on a logarithmic axis. */
  readonly position: number
  readonly least: number
  readonly middle: number
  readonly most: number
  readonly isExtrapolated: boolean
}

function crossoverOfTimes(
  firsts: ReadonlyMap<number, Time>,
  seconds: ReadonlyMap<number, Time>,
  [first, second]: readonly [string, string],
): Crossover {
  const common = comparable(firsts, seconds)
  const zero = zeroOnLogAxis(common)
  const compared = common.flatMap((rows): Size[] => {
    const [a, b] = [firsts.get(rows), seconds.get(rows)]
    if (a === undefined || b === undefined) return []
    const { low, high } = intervalOf(a, b)
    return [
      {
        rows,
        position: Math.log10(rows || zero),
        least: Math.log10(low),
        middle: Math.log10(share(a.median, b.median)),
        most: Math.log10(high),
        isExtrapolated: a.outcome === 'extrapolated' || b.outcome === 'extrapolated',
      },
    ]
  })
  const sizes = spanOf(compared)
  if (sizes === undefined) return { kind: 'unknown' }

  const lastDecided = compared.findLast((size) => signOf(size) !== 0)
  if (lastDecided === undefined) return { kind: 'equal', sizes }
  const sign = signOf(lastDecided)
  const [below, above] = sign > 0 ? [first, second] : [second, first]

  const lastOfOther = compared.findLastIndex((size) => signOf(size) === -sign)
  if (lastOfOther < 0) {
    const certain = spanOf(compared.filter((size) => signOf(size) === sign)) ?? sizes
    const doubts = undecided(compared).filter((rows) => rows > certain.from && rows < certain.to)
    return { kind: 'always', faster: above, sizes, certain, doubts, isExtrapolated: compared.some(isGuess) }
  }

  const firstAfter = compared.findIndex((size, index) => index > lastOfOther && signOf(size) === sign)
  const between = compared.slice(lastOfOther, firstAfter + 1)
  const toRows = (exponent: number) => Math.max(1, 10 ** exponent)
  // Signs are chosen so that all three curves rise from below 0 to above it.
  const early = zerosOf(between, ({ least, most }) => (sign > 0 ? most : -least))
  const middle = zerosOf(between, (size) => size.middle * sign)
  const late = zerosOf(between, ({ least, most }) => (sign > 0 ? least : -most))
  return {
    kind: 'crosses',
    below,
    above,
    rows: toRows(middle.at(-1) ?? lastDecided.position),
    range: {
      from: toRows(early[0] ?? lastDecided.position),
      to: toRows(late.at(-1) ?? lastDecided.position),
    },
    doubts: undecided([...compared.slice(0, lastOfOther), ...compared.slice(firstAfter + 1)]),
    exceptions: compared.slice(0, lastOfOther).flatMap((size) => (signOf(size) === sign ? [size.rows] : [])),
    sizes,
    isExtrapolated: between.some(isGuess),
  }
}

/** The sizes with measured times of both; those with any times of both if there are none. */
function comparable(firsts: ReadonlyMap<number, Time>, seconds: ReadonlyMap<number, Time>): number[] {
  const both = [...firsts.keys()].filter((rows) => seconds.has(rows)).toSorted((a, b) => a - b)
  const isMeasured = (rows: number) =>
    [firsts, seconds].every((times) => times.get(rows)?.outcome === 'measured')
  return both.some(isMeasured) ? both.filter(isMeasured) : both
}

/** The value whose position 0 gets on a logarithmic axis: a tenth of the smallest positive value. */
export function zeroOnLogAxis(values: readonly number[]): number {
  const positive = values.filter((value) => value > 0)
  return positive.length === 0 ? 0.1 : Math.min(...positive) / 10
}

/** An extrapolated time has no interval; a factor of 2 is as much as it may be wrong here. */
const GUESS_FACTOR = 2

function intervalOf(a: Time, b: Time): Interval {
  if (a.outcome === 'measured' && b.outcome === 'measured') return ratioInterval(a, b)
  const ratio = share(a.median, b.median)
  return { low: ratio / GUESS_FACTOR, high: ratio * GUESS_FACTOR }
}

/** 1: the second method is faster. -1: the first one is. 0: the interval contains equality. */
function signOf({ least, most }: Size): -1 | 0 | 1 {
  if (least > 0) return 1
  return most < 0 ? -1 : 0
}

function undecided(sizes: readonly Size[]): number[] {
  return sizes.filter((size) => signOf(size) === 0).map(({ rows }) => rows)
}

function isGuess({ isExtrapolated }: Size): boolean {
  return isExtrapolated
}

function spanOf(sizes: readonly Size[]): Span | undefined {
  const [first, last] = [sizes[0], sizes.at(-1)]
  return first === undefined || last === undefined ? undefined : { from: first.rows, to: last.rows }
}

/** The zeros of the piecewise linear curve through the sizes. */
function zerosOf(sizes: readonly Size[], heightOf: (size: Size) => number): number[] {
  return sizes.slice(1).flatMap((right, index) => {
    const left = sizes[index] ?? right
    const [before, after] = [heightOf(left), heightOf(right)]
    if (before > 0 === after > 0) return []
    return [left.position + ((right.position - left.position) * before) / (before - after)]
  })
}
