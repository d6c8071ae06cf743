import { zeroOnLogAxis } from '../crossover.ts'

/** A logarithmic axis, in decades. The charts' own axes are linear, on places of this. */
export interface Scale {
  readonly min: number
  readonly max: number
  /** A place for each decade, and one for 0. */
  readonly ticks: readonly number[]
  place(value: number): number
  valueAt(coordinate: number): number
}

/**
 * There is no logarithm of 0, yet 0 rows is what an ordinary test leaves in most tables. So 0 has the place of a tenth
 * of the smallest value above it, is called 0 there, and (see `chart.ts`) no line leads to it along the axis of rows.
 *
 * @param padding decades of empty room at both ends
 */
export function logScale(values: readonly number[], padding: number): Scale {
  const zero = Math.floor(Math.log10(zeroOnLogAxis(values)))
  const positive = values.filter((value) => value > 0).map(Math.log10)
  const hasZero = values.some((value) => value <= 0)
  let least = Math.min(...positive, ...(hasZero || positive.length === 0 ? [zero] : []))
  let most = Math.max(...positive, least)
  // A single decade would leave an axis without a second mark to read it by.
  if (Math.floor(most) <= Math.ceil(least)) [least, most] = [Math.floor(least), Math.floor(least) + 1]
  const [min, max] = [least - padding, most + padding]
  const first = Math.ceil(min)
  return {
    min,
    max,
    ticks: Array.from({ length: Math.floor(max) - first + 1 }, (_, index) => first + index),
    place: (value) => (value > 0 ? Math.log10(value) : zero),
    valueAt: (coordinate) => (hasZero && coordinate <= zero ? 0 : 10 ** coordinate),
  }
}
