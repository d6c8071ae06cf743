import { zeroOnLogAxis } from '../crossover.ts'

/** A logarithmic axis, in decades. The charts' own axes are linear, with coordinates of this scale. */
export interface Scale {
  readonly min: number
  readonly max: number
  /** One coordinate per decade, and one for 0. */
  readonly ticks: readonly number[]
  positionOf(value: number): number
  valueAt(coordinate: number): number
}

/**
 * 0 has no logarithm, but an ordinary test leaves 0 rows in most tables. So 0 gets the coordinate of a tenth
 * of the smallest positive value and the label 0, and no line leads to it along the axis of rows (see
 * `chart.ts`).
 *
 * @param padding empty room at both ends, in decades
 */
export function logScale(values: readonly number[], padding: number): Scale {
  const zero = Math.floor(Math.log10(zeroOnLogAxis(values)))
  const positive = values.filter((value) => value > 0).map(Math.log10)
  const hasZero = values.some((value) => value <= 0)
  let least = Math.min(...positive, ...(hasZero || positive.length === 0 ? [zero] : []))
  let most = Math.max(...positive, least)
  // Within a decade, an axis would have no second tick to read it by. Its ends never exclude a value.
  if (Math.floor(most) <= Math.ceil(least))
    [least, most] = [Math.floor(least), Math.max(Math.floor(least) + 1, Math.ceil(most))]
  const [min, max] = [least - padding, most + padding]
  const first = Math.ceil(min)
  return {
    min,
    max,
    ticks: Array.from({ length: Math.floor(max) - first + 1 }, (_, index) => first + index),
    positionOf: (value) => (value > 0 ? Math.log10(value) : zero),
    valueAt: (coordinate) => (hasZero && coordinate <= zero ? 0 : 10 ** coordinate),
  }
}
