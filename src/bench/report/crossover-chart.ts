import type { CustomSeriesOption, CustomSeriesRenderItemReturn, EChartsOption } from 'echarts'
import type { Crossover } from '../crossover.ts'
import type { BenchResults } from '../results.ts'
import { isOwnTable } from './base-case.ts'
import { type Canvas, chartFrame, rowsAxis, tooltipFrame } from './chart-frame.ts'
import { caseName } from './figure.ts'
import { about, escapeHtml, visible, whole } from './format.ts'
import { mainOf, type Recommendation } from './recommend.ts'
import { logScale, type Scale } from './scale.ts'
import { styleOfMethod } from './series-style.ts'

const LINE_HEIGHT = 26
const AROUND = 70
/** Width of a single size, in pixels. */
const HAIR = 3
/** Pixels per character, and beside text. */
const TEXT = { character: 6.4, gap: 7 }

/** How to read the bars. */
export const BARS =
  'blue: DELETE is faster, orange: TRUNCATE, grey between: too close to call, *: extrapolated'

/** A line of the chart. */
export interface Bar {
  readonly name: string
  readonly of: Recommendation
}

export function crossoverChartHeight(lines: number): number {
  return lines * LINE_HEIGHT + AROUND
}

/** One bar per case of a server, or per table of the user. */
export function barsOfCases(results: BenchResults, all: readonly Recommendation[]): Bar[] {
  return inOrder(results, all).map((of) => ({ name: caseName(results, of.case), of }))
}

/** One bar per server that has times of both methods in its main case. */
export function barsOfServers(results: BenchResults): Bar[] {
  return results.servers.flatMap(({ id, title }) => {
    const of = mainOf(results, id)
    return of === undefined || of.crossover.kind === 'unknown' ? [] : [{ name: visible(title), of }]
  })
}

/** User tables by the number of rows at which TRUNCATE becomes faster; other cases in their given order. */
export function inOrder({ cases }: BenchResults, all: readonly Recommendation[]): readonly Recommendation[] {
  if (!cases.some(isOwnTable)) return all
  return all.toSorted((a, b) => turnOf(a) - turnOf(b))
}

/** Whether there is something to draw: more than one bar, and at least one with times of both methods. */
export function hasCrossovers(bars: readonly Bar[]): boolean {
  return bars.length > 1 && bars.some(({ of }) => of.crossover.kind !== 'unknown')
}

function turnOf({ crossover }: Recommendation): number {
  if (crossover.kind === 'crosses') return crossover.above === 'truncate' ? crossover.rows : Number.MAX_VALUE
  return crossover.kind === 'always' && crossover.faster === 'truncate' ? 0 : Number.MAX_VALUE
}

/** One bar per case, table or server: the sizes at which DELETE or TRUNCATE is faster. */
export function crossoverChart(
  { cells }: Pick<BenchResults, 'cells'>,
  bars: readonly Bar[],
  canvas: Canvas,
): EChartsOption {
  const { theme, width, still } = canvas
  const compared = new Set(bars.map(({ of }) => of.case))
  const sizes = cells.flatMap((cell) => (compared.has(cell.case) && 'median' in cell ? [cell.rows] : []))
  const x = logScale(sizes, 0.1)
  const labelWidth = labelWidthOf(bars, width)
  return {
    ...chartFrame('From how many rows on which is faster', canvas),
    aria: {
      enabled: true,
      label: { description: bars.map(({ name, of }) => `${name}: ${of.text}`).join(' ') },
    },
    grid: { left: labelWidth + 20, right: 24, top: still === undefined ? 22 : 76, bottom: 46 },
    xAxis: rowsAxis(x, { theme, width: width - labelWidth }),
    yAxis: barsAxis(bars, canvas, labelWidth),
    tooltip: {
      ...tooltipFrame(canvas),
      extraCssText: 'max-width: 20rem; white-space: normal; overflow-wrap: anywhere',
      formatter: (params) => {
        const { dataIndex } = Array.isArray(params) ? (params[0] ?? { dataIndex: -1 }) : params
        const { name = '', of } = bars[dataIndex] ?? {}
        return `<strong>${escapeHtml(name)}</strong><br>${escapeHtml(of?.text ?? '')}`
      },
    },
    series: [barsSeries(bars, x, theme)],
  }
}

/** As wide as the longest name, up to half of the chart: only names beyond that are cut off. */
function labelWidthOf(bars: readonly Bar[], width: number): number {
  const longest = Math.max(0, ...bars.map(({ name }) => name.length))
  return Math.round(Math.min(Math.max(80, longest * TEXT.character), width / 2))
}

function barsAxis(
  bars: readonly Bar[],
  { theme }: Canvas,
  labelWidth: number,
): NonNullable<EChartsOption['yAxis']> {
  return {
    type: 'category',
    inverse: true,
    data: bars.map(({ name }) => name),
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: {
      color: theme.text,
      fontSize: 11.5,
      width: labelWidth,
      overflow: 'truncate',
      interval: 0,
    },
  }
}

function barsSeries(bars: readonly Bar[], x: Scale, theme: Canvas['theme']): CustomSeriesOption {
  const colorOf = (method: string) => styleOfMethod(method).color[theme.id]
  return {
    type: 'custom',
    name: 'crossover',
    data: bars.map(({ of }, index) => {
      const [from, to] = barOf(of, x)
      return [from, index, to]
    }),
    encode: { x: [0, 2], y: 1 },
    renderItem: (_, api) => {
      const line = api.value(1)
      const bar = bars[Number(line)]
      const spot = (coordinate: number) => api.coord([coordinate, line])
      const all = bar === undefined ? [] : pieces(bar.of, x, colorOf, theme)
      return { type: 'group', children: all.flatMap((piece) => drawn(piece, spot)) }
    },
  }
}

function barOf({ crossover }: Recommendation, x: Scale): [number, number] {
  return crossover.kind === 'unknown'
    ? [x.min, x.max]
    : [x.positionOf(crossover.sizes.from), x.positionOf(crossover.sizes.to)]
}

/** The parts of a bar: colored stretches, and text on them. */
function pieces(
  recommendation: Recommendation,
  x: Scale,
  colorOf: (method: string) => string,
  theme: Canvas['theme'],
): readonly Piece[] {
  const { crossover } = recommendation
  const [from, to] = barOf(recommendation, x)
  switch (crossover.kind) {
    case 'unknown':
      return [{ position: from, text: 'not compared', fill: theme.muted, align: 'left' }]
    case 'equal':
      return [{ from, to, fill: theme.rule }]
    case 'always': {
      const { faster, certain } = crossover
      const [start, end] = [x.positionOf(certain.from), x.positionOf(certain.to)]
      const text = `${faster.toUpperCase()} ${extentOf(crossover)}`
      return [
        { from, to, fill: theme.rule },
        { from: start, to: end, fill: colorOf(faster), least: HAIR },
        { position: start, until: end, text, fill: theme.background, align: 'left' },
      ]
    }
    case 'crosses': {
      const inside = (rows: number) => Math.min(to, Math.max(from, x.positionOf(rows)))
      const [start, index, end] = [
        inside(crossover.range.from),
        inside(crossover.rows),
        inside(crossover.range.to),
      ]
      const text = `${about(crossover.rows)}${crossover.isExtrapolated ? '*' : ''}`
      return [
        { from, to: start, fill: colorOf(crossover.below) },
        { from: start, to: end, fill: theme.rule },
        { from: end, to, fill: colorOf(crossover.above) },
        // On the side with more room.
        index - from > to - index
          ? { position: start, text, fill: theme.background, align: 'right' }
          : { position: end, text, fill: theme.background, align: 'left' },
      ]
    }
  }
}

/** Where a method is clearly faster: `at every size`, `from 1,000 on`. */
function extentOf({ sizes, certain }: Extract<Crossover, { kind: 'always' }>): string {
  const [isFirst, isLast] = [certain.from === sizes.from, certain.to === sizes.to]
  if (isFirst && isLast) return 'at every size'
  if (isLast) return `from ${whole(certain.from)} on`
  if (isFirst) return `up to ${whole(certain.to)}`
  return `from ${whole(certain.from)} to ${whole(certain.to)}`
}

type Piece =
  | {
      readonly from: number
      readonly to: number
      readonly fill: string
      /** Minimum width. */
      readonly least?: number
    }
  | {
      readonly position: number
      readonly text: string
      readonly fill: string
      readonly align: 'left' | 'right'
      /** The right limit. Text that does not fit is omitted. */
      readonly until?: number
    }

type Shape = NonNullable<CustomSeriesRenderItemReturn>

function drawn(piece: Piece, pixelsOf: (coordinate: number) => number[]): readonly Shape[] {
  if ('text' in piece) {
    const [x = 0, y = 0] = pixelsOf(piece.position)
    const { text, fill, align, until } = piece
    const [end = 0] = until === undefined ? [Number.POSITIVE_INFINITY] : pixelsOf(until)
    if (text.length * TEXT.character + 2 * TEXT.gap > end - x) return []
    const style = { text, fill, align, verticalAlign: 'middle', fontSize: 11, fontWeight: 600 } as const
    return [{ type: 'text', style: { ...style, x: align === 'left' ? x + TEXT.gap : x - TEXT.gap, y } }]
  }
  const [left = 0, y = 0] = pixelsOf(piece.from)
  const [right = 0] = pixelsOf(piece.to)
  const width = Math.max(piece.least ?? 0, right - left)
  const shape = { x: (left + right - width) / 2, y: y - 8, width, height: 16 }
  return [{ type: 'rect', shape, style: { fill: piece.fill } }]
}
