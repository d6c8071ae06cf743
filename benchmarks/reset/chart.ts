import * as echarts from 'echarts'
import type { Cell, MethodInfo, Results } from './results.ts'

const PANEL = { width: 330, height: 380, left: 75, top: 110, labels: 225, gapX: 60, gapY: 90 }
const WIDTH = PANEL.left + 2 * (PANEL.width + PANEL.labels) + PANEL.gapX
const LABEL_HEIGHT = 13
const DIRTY = 3

const STRONG: Readonly<Partial<Record<MethodInfo['kind'], string>>> = {
  afresh: '#d6336c',
  hand: '#1c7ed6',
  floor: '#868e96',
}
const MUTED = [
  '#5c940d',
  '#e67700',
  '#0b7285',
  '#6741d9',
  '#862e9c',
  '#087f5b',
  '#a61e4d',
  '#364fc7',
  '#7c4d12',
  '#495057',
  '#2b8a3e',
  '#c92a2a',
  '#1098ad',
]

interface Line {
  readonly method: MethodInfo
  readonly color: string
  /** Number of tables, and milliseconds. */
  readonly points: readonly (readonly [number, number])[]
}

/** A panel per server: milliseconds by number of tables, on log-log axes. SVG. */
export function drawChart(results: Results): string {
  const rows = Math.ceil(results.servers.length / 2)
  const height = PANEL.top + rows * (PANEL.height + PANEL.gapY)
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height })
  chart.setOption(optionOf(results))
  const svg = chart.renderToSVGString()
  chart.dispose()
  return `${svg}\n`
}

function optionOf(results: Results): echarts.EChartsOption {
  const panels = results.servers.map(({ id, title }) => ({ title, lines: linesOf(results, id) }))
  const x = axisOf(
    panels.flatMap(({ lines }) => lines.flatMap(({ points }) => points.map(([tables]) => tables))),
  )
  const y = powersAround(
    panels.flatMap(({ lines }) => lines.flatMap(({ points }) => points.map(([, ms]) => ms))),
  )
  const ticks = { customValues: [...new Set(tablesOf(panels.flatMap(({ lines }) => lines)))] }
  const axis = { type: 'log', splitLine: { lineStyle: { color: '#eee' } } } as const
  return {
    backgroundColor: '#fff',
    animation: false,
    textStyle: { fontFamily: 'sans-serif' },
    title: [
      {
        text: `Resetting a database in which a test wrote to ${DIRTY} tables`,
        subtext: `Milliseconds (median) against the number of tables in the schema, both logarithmic · ${results.machine.cpu}, ${results.machine.cores} cores, ${results.date.slice(0, 10)}`,
        left: 20,
        top: 10,
      },
      ...panels.map(({ title }, index) => ({
        text: title,
        textStyle: { fontSize: 13 },
        left: placeOf(index).left - 40,
        top: placeOf(index).top - 36,
      })),
    ],
    grid: panels.map((_, index) => ({ ...placeOf(index), width: PANEL.width, height: PANEL.height })),
    xAxis: panels.map((_, gridIndex) => ({
      ...axis,
      ...x,
      gridIndex,
      axisTick: ticks,
      axisLabel: ticks,
      name: 'tables',
      nameLocation: 'middle',
      nameGap: 25,
    })),
    yAxis: panels.map((_, gridIndex) => ({
      ...axis,
      ...y,
      gridIndex,
      axisLabel: { formatter: '{value} ms' },
    })),
    series: panels.flatMap(({ lines }, panel) => seriesOf(lines, panel, x, y)),
  }
}

function placeOf(index: number): { left: number; top: number } {
  return {
    left: PANEL.left + (index % 2) * (PANEL.width + PANEL.labels + PANEL.gapX),
    top: PANEL.top + Math.floor(index / 2) * (PANEL.height + PANEL.gapY),
  }
}

function tablesOf(lines: readonly Line[]): number[] {
  return lines.flatMap(({ points }) => points.map(([tables]) => tables))
}

interface Range {
  readonly min: number
  readonly max: number
}

function axisOf(values: readonly number[]): Range {
  return { min: Math.min(...values) * 0.9, max: Math.max(...values) * 1.1 }
}

/** The smallest `Range` of whole decades that contains the values. */
function powersAround(values: readonly number[]): Range {
  const decade = (value: number, round: (exponent: number) => number) => 10 ** round(Math.log10(value))
  return { min: decade(Math.min(...values), Math.floor), max: decade(Math.max(...values), Math.ceil) }
}

function linesOf(results: Results, server: string): Line[] {
  const muted = results.methods.filter(({ kind }) => !(kind in STRONG)).map(({ id }) => id)
  return results.methods.flatMap((method) => {
    const points = results.cells.flatMap((cell) =>
      isPointOf(cell, method.id, server) ? [[cell.tables, cell.median] as const] : [],
    )
    const color = STRONG[method.kind] ?? MUTED[muted.indexOf(method.id) % MUTED.length] ?? '#495057'
    return points.length === 0 ? [] : [{ method, color, points }]
  })
}

function isPointOf(
  cell: Cell,
  method: string,
  server: string,
): cell is Extract<Cell, { outcome: 'measured' }> {
  return (
    cell.outcome === 'measured' &&
    cell.method === method &&
    cell.server === server &&
    cell.dirty === DIRTY &&
    cell.baseline === 'empty'
  )
}

function seriesOf(lines: readonly Line[], panel: number, x: Range, y: Range): echarts.LineSeriesOption[] {
  const ends = lines.map(({ points }) => points.at(-1) ?? ([x.min, y.min] as const))
  const wanted = ends.map(([, ms]) => PANEL.height * (1 - shareOf(ms, y)))
  const given = spread(wanted)
  return lines.map(({ method, color, points }, index) => {
    const isStrong = method.kind in STRONG
    const [lastTables = x.max] = ends[index] ?? []
    return {
      type: 'line',
      name: method.label,
      xAxisIndex: panel,
      yAxisIndex: panel,
      data: points.map((point) => [...point]),
      color,
      symbolSize: isStrong ? 6 : 4,
      lineStyle: { width: method.kind === 'afresh' ? 3.5 : isStrong ? 2 : 1.2, type: dashOf(method) },
      endLabel: {
        show: true,
        formatter: '{a}',
        color,
        fontSize: 11,
        fontWeight: isStrong ? 'bold' : 'normal',
        // Aligned beside the panel, wherever the lines end.
        offset: [PANEL.width * (1 - shareOf(lastTables, x)), (given[index] ?? 0) - (wanted[index] ?? 0)],
      },
      z: isStrong ? 3 : 2,
    }
  })
}

/** The position of a value on a logarithmic axis: 0 at its start, 1 at its end. */
function shareOf(value: number, { min, max }: Range): number {
  return Math.log(value / min) / Math.log(max / min)
}

/** Heights of labels: in the same order, as close as possible, without overlap. */
function spread(wanted: readonly number[]): number[] {
  const order = wanted.map((_, index) => index).toSorted((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0))
  const given: number[] = []
  let lowest = PANEL.height + LABEL_HEIGHT
  for (const index of order.toReversed()) {
    lowest = Math.min(wanted[index] ?? 0, lowest - LABEL_HEIGHT)
    given[index] = lowest
  }
  let highest = -Number.MAX_VALUE
  for (const index of order) {
    highest = Math.max(given[index] ?? 0, highest + LABEL_HEIGHT, 0)
    given[index] = highest
  }
  return given
}

function dashOf({ kind }: MethodInfo): 'solid' | 'dashed' | 'dotted' {
  if (kind === 'hand') return 'dashed'
  return kind === 'floor' || kind === 'rollback' ? 'dotted' : 'solid'
}
