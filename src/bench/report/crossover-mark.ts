import type { LineSeriesOption } from 'echarts'

type MarkAreaOption = NonNullable<LineSeriesOption['markArea']>

import type { Crossover } from '../crossover.ts'
import type { Canvas } from './chart-frame.ts'
import { about } from './format.ts'
import type { Scale } from './scale.ts'
import type { SeriesStyle } from './series-style.ts'

type MarkAreaPair = Extract<NonNullable<MarkAreaOption['data']>[number], unknown[]>
type Looks = Readonly<Record<string, SeriesStyle>>

/** Marks the crossover with a vertical line, and tints each side in the color of the faster method. */
export function crossoverMark(
  crossover: Crossover | undefined,
  x: Scale,
  looks: Looks,
  canvas: Canvas,
): LineSeriesOption[] {
  if (crossover?.kind !== 'crosses') return []
  const { theme, width } = canvas
  const { rows, range, below, above, isExtrapolated } = crossover
  const isWide = width >= 520
  const [from, to] = [x.positionOf(range.from), x.positionOf(range.to)]
  const label = `≈ ${about(rows)} rows${isExtrapolated ? (isWide ? ', extrapolated' : '*') : ''}`
  const tintOf = (method: string) => ({
    color: looks[method]?.color[theme.id] ?? theme.muted,
    opacity: theme.id === 'light' ? 0.07 : 0.1,
  })
  const side = (method: string, start: number, end: number): MarkAreaPair => [
    {
      xAxis: start,
      itemStyle: tintOf(method),
      label: {
        // A label that is wider than its area would cover the lines.
        show: isWide && (end - start) / (x.max - x.min) > 0.2,
        formatter: `${method.toUpperCase()} is faster`,
        position: 'insideTop',
        color: looks[method]?.color[theme.id] ?? theme.text,
        fontSize: 12,
      },
    },
    { xAxis: end },
  ]
  return [
    {
      type: 'line',
      name: 'crossover',
      data: [],
      silent: true,
      markLine: {
        silent: true,
        symbol: 'none',
        animation: false,
        lineStyle: { color: theme.text, width: 1.2, type: [3, 3] },
        label: { formatter: label, position: 'end', color: theme.text, fontSize: 12, fontWeight: 600 },
        data: [{ xAxis: x.positionOf(rows) }],
      },
      markArea: {
        silent: true,
        animation: false,
        data: [side(below, x.min, from), side(above, to, x.max)],
      },
    },
  ]
}
