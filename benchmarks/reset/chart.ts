import * as echarts from 'echarts'
import type { Cell, Results, WayFacts } from './results.ts'

const WIDTH = 1180
const PANEL = { width: 300, height: 330, left: 60, top: 90, gapX: 260, gapY: 110 }
const DIRTY = 3

const STRONG: Readonly<Partial<Record<WayFacts['kind'], string>>> = {
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
]

/** A panel for each server: milliseconds against the number of tables, both on logarithmic axes. SVG. */
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
  const { servers } = results
  const axis = { type: 'log', logBase: 10, splitLine: { lineStyle: { color: '#eee' } } } as const
  return {
    backgroundColor: '#fff',
    animation: false,
    title: [
      {
        text: `Reset of a database in which a test wrote to ${DIRTY} tables`,
        subtext: `median milliseconds against the number of tables, both logarithmic · ${results.machine.cpu}, ${results.machine.cores} cores · ${results.date.slice(0, 10)}`,
        left: 20,
        top: 10,
      },
      ...servers.map(({ title }, index) => ({
        text: title,
        textStyle: { fontSize: 13 },
        left: placeOf(index).left - 40,
        top: placeOf(index).top - 28,
      })),
    ],
    grid: servers.map((_, index) => ({ ...placeOf(index), width: PANEL.width, height: PANEL.height })),
    xAxis: servers.map((_, index) => ({
      ...axis,
      gridIndex: index,
      min: 25,
      max: 1200,
      name: 'tables',
      nameLocation: 'middle',
      nameGap: 25,
    })),
    yAxis: servers.map((_, index) => ({ ...axis, gridIndex: index, name: 'ms' })),
    series: servers.flatMap(({ id }, index) => linesOf(results, id, index)),
  }
}

function placeOf(index: number): { left: number; top: number } {
  return {
    left: PANEL.left + (index % 2) * (PANEL.width + PANEL.gapX),
    top: PANEL.top + Math.floor(index / 2) * (PANEL.height + PANEL.gapY) + 20,
  }
}

function linesOf(results: Results, server: string, panel: number): echarts.LineSeriesOption[] {
  return results.ways.flatMap((way, number) => {
    const points = results.cells.flatMap((cell) =>
      isPointOf(cell, way.id, server) ? [[cell.tables, cell.median]] : [],
    )
    if (points.length === 0) return []
    const color = STRONG[way.kind] ?? MUTED[number % MUTED.length] ?? '#495057'
    const isStrong = way.kind in STRONG
    return [
      {
        type: 'line',
        name: way.label,
        xAxisIndex: panel,
        yAxisIndex: panel,
        data: points,
        color,
        symbolSize: isStrong ? 6 : 4,
        lineStyle: { width: way.kind === 'afresh' ? 3.5 : isStrong ? 2 : 1.2, type: dashOf(way) },
        endLabel: {
          show: true,
          formatter: '{a}',
          color,
          fontSize: 11,
          fontWeight: isStrong ? 'bold' : 'normal',
        },
        labelLayout: { moveOverlap: 'shiftY' },
        z: isStrong ? 3 : 2,
      },
    ]
  })
}

function isPointOf(cell: Cell, way: string, server: string): cell is Extract<Cell, { outcome: 'measured' }> {
  return (
    cell.outcome === 'measured' &&
    cell.way === way &&
    cell.server === server &&
    cell.dirty === DIRTY &&
    cell.baseline === 'empty'
  )
}

function dashOf({ kind }: WayFacts): 'solid' | 'dashed' | 'dotted' {
  if (kind === 'hand') return 'dashed'
  return kind === 'floor' || kind === 'rollback' ? 'dotted' : 'solid'
}
