import type {
  CustomSeriesOption,
  CustomSeriesRenderItemReturn,
  EChartsOption,
  LineSeriesOption,
} from 'echarts'
import { type Canvas, chartFrame, rowsAxis, tooltipFrame } from './chart-frame.ts'
import { crossoverMark } from './crossover-mark.ts'
import { descriptionOf, type Figure, type Line, type Point, valueText } from './figure.ts'
import { shortTime } from './format.ts'
import { logScale, type Scale } from './scale.ts'
import { styleOfMethod, type Theme } from './series-style.ts'
import { tooltipOf } from './tooltip.ts'

const SIDE = { left: 58, right: 22, top: 34, bottom: 46 }
const TITLE_HEIGHT = 48
const LEGEND = { line: 34, icon: 30, gap: 20 }

/** Rows on the x axis, time or bytes on the y axis, both logarithmic; one line per method. */
export function chartOf(figure: Figure, canvas: Canvas): EChartsOption {
  const { theme, still } = canvas
  const points = figure.lines.flatMap((line) => line.points)
  const x = logScale(
    points.map(({ rows }) => rows),
    0.25,
  )
  const y = logScale(
    points.flatMap(({ q1, q3, value }) => [q1, value, q3]),
    0.15,
  )
  const legendHeight = legendHeightOf(figure, canvas.width)
  return {
    ...chartFrame(figure.title, canvas),
    aria: { enabled: true, label: { description: descriptionOf(figure) } },
    grid: {
      ...SIDE,
      top: SIDE.top + (still === undefined ? 0 : TITLE_HEIGHT),
      bottom: SIDE.bottom + (still === undefined ? 0 : legendHeight),
    },
    legend: {
      show: still !== undefined,
      data: groupsOf(figure),
      top: canvas.height - legendHeight,
      left: SIDE.left - 6,
      itemGap: LEGEND.gap,
      itemWidth: LEGEND.icon,
      itemHeight: 9,
      textStyle: { color: theme.text, fontSize: 12 },
    },
    xAxis: rowsAxis(x, canvas),
    yAxis: valueAxis(figure, y, theme),
    tooltip: {
      ...tooltipFrame(canvas),
      trigger: 'axis',
      axisPointer: { type: 'line', snap: true, lineStyle: { color: theme.muted } },
      formatter: (params) => tooltipOf(figure, theme, Array.isArray(params) ? params : [params]),
    },
    series: [
      ...figure.lines.flatMap((line) => seriesOf(line, x, y, theme)),
      ...crossoverMark(
        figure.crossover,
        x,
        { delete: styleOfMethod('delete'), truncate: styleOfMethod('truncate') },
        canvas,
      ),
    ],
  }
}

function valueAxis(figure: Figure, scale: Scale, theme: Theme): NonNullable<EChartsOption['yAxis']> {
  return {
    type: 'value',
    min: scale.min,
    max: scale.max,
    axisLabel: {
      color: theme.muted,
      hideOverlap: true,
      customValues: [...scale.ticks],
      formatter: (coordinate: number) =>
        figure.unit === 'time'
          ? shortTime(scale.valueAt(coordinate))
          : valueText(figure, scale.valueAt(coordinate)),
    },
    axisLine: { show: false },
    // Invisible, but the grid lines follow the ticks.
    axisTick: { customValues: [...scale.ticks], length: 0 },
    splitLine: { lineStyle: { color: theme.rule } },
  }
}

/** Measured points with a line and whiskers (quartiles); extrapolated points with a dotted line. */
function seriesOf(line: Line, x: Scale, y: Scale, theme: Theme): (LineSeriesOption | CustomSeriesOption)[] {
  const color = line.look.color[theme.id]
  const { isStrong, symbol } = line.look
  const isGuess = ({ cell }: Point) => cell.outcome === 'extrapolated'
  const pointAt = ({ rows, value }: Point): [number, number] => [x.positionOf(rows), y.positionOf(value)]
  const own = {
    type: 'line',
    name: line.group,
    color,
    symbol,
    symbolSize: isStrong ? 9 : 7,
    emphasis: { disabled: true },
    z: isStrong ? 4 : 3,
  } as const

  const measured = line.points.filter((point) => !isGuess(point))
  const solid: LineSeriesOption = {
    ...own,
    lineStyle: { width: isStrong ? 2.6 : 1.6, type: line.isDashed ? [7, 4] : 'solid' },
    // No line from 0 rows to the first size: there are no numbers of rows in between.
    data: measured.flatMap((point): (number | string)[][] =>
      point.rows === 0 ? [pointAt(point), ['-', '-']] : [pointAt(point)],
    ),
  }
  const guesses = line.points.filter(isGuess)
  const first = line.points.findIndex(isGuess)
  const before = line.points[first - 1]
  const dotted: LineSeriesOption = {
    ...own,
    lineStyle: { width: isStrong ? 2 : 1.4, type: [2, 4] },
    data: [
      ...(before === undefined || before.rows === 0 ? [] : [{ value: pointAt(before), symbol: 'none' }]),
      ...guesses.map((point) => ({
        value: pointAt(point),
        itemStyle: { color: theme.background, borderColor: color, borderWidth: 1.8 },
      })),
    ],
  }
  const spread = measured.filter(({ q1, q3 }) => q1 < q3)
  const whiskers: CustomSeriesOption = {
    type: 'custom',
    name: line.group,
    color,
    silent: true,
    tooltip: { show: false },
    data: spread.map(({ rows, q1, q3 }) => [x.positionOf(rows), y.positionOf(q1), y.positionOf(q3)]),
    encode: { x: 0, y: [1, 2] },
    renderItem: (_, api) =>
      whisker(api.coord([api.value(0), api.value(1)]), api.coord([api.value(0), api.value(2)]), color),
    z: 2,
  }
  return [solid, ...(guesses.length > 0 ? [dotted] : []), ...(spread.length > 0 ? [whiskers] : [])]
}

function whisker(
  [x = 0, low = 0]: number[],
  [, high = 0]: number[],
  stroke: string,
): CustomSeriesRenderItemReturn {
  const points = [
    [x - 4, low],
    [x + 4, low],
    [x, low],
    [x, high],
    [x - 4, high],
    [x + 4, high],
  ]
  return {
    type: 'polyline',
    shape: { points },
    style: { stroke, fill: 'none', lineWidth: 1.4, opacity: 0.75 },
  }
}

/** The height of a standalone picture whose plot has the given height. */
export function stillHeight(figure: Figure, width: number, plot: number): number {
  return SIDE.top + TITLE_HEIGHT + plot + SIDE.bottom + legendHeightOf(figure, width)
}

/** ECharts fills a line with items before it starts the next. It assumes about 6.4 pixels per character. */
function legendHeightOf(figure: Figure, width: number): number {
  let [lines, used] = [1, 0]
  for (const { length } of groupsOf(figure)) {
    const wanted = length * 6.4 + LEGEND.icon + 5 + LEGEND.gap
    if (used > 0 && used + wanted > width - SIDE.left) [lines, used] = [lines + 1, 0]
    used += wanted
  }
  return lines * LEGEND.line
}

export function groupsOf({ lines }: Figure): string[] {
  return [...new Set(lines.map(({ group }) => group))]
}
