import type { EChartsOption } from 'echarts'
import { keepMemorySmall } from '../memory.ts'
import type { BenchResults } from '../results.ts'
import { chartOf, stillHeight } from './chart.ts'
import type { Canvas } from './chart-frame.ts'
import {
  BARS,
  type Bar,
  barsOfCases,
  barsOfServers,
  crossoverChart,
  crossoverChartHeight,
  hasCrossovers,
} from './crossover-chart.ts'
import { init } from './echarts.ts'
import { asideFigures, deleteVsTruncateFigure, type Figure, factorFigures, methodsFigure } from './figure.ts'
import { escapeHtml, visible } from './format.ts'
import { mainOf, recommendationsOf } from './recommend.ts'
import { THEMES, type Theme } from './series-style.ts'

const WIDE = 860
const SMALL = 430

/** Pictures for pages without scripts, by the suffix of their file name. Light, with an opaque background. */
export function picturesOf(results: BenchResults, server: string): Map<string, string> {
  const title = visible(results.servers.find(({ id }) => id === server)?.title ?? server)
  const main = mainOf(results, server)
  const pictures = new Map<string, string>()
  if (main !== undefined) {
    const rivals = deleteVsTruncateFigure(results, server, main.case)
    if (rivals.lines.length > 0) pictures.set('', drawFigure({ ...rivals, title }, main.text, WIDE, 300))
    const methods = methodsFigure(results, server, main.case)
    if (methods !== undefined) pictures.set('-methods', drawFigure(methods, title, WIDE, 380))
  }
  const bars = barsOfCases(results, recommendationsOf(results, server))
  if (hasCrossovers(bars)) pictures.set('-crossovers', drawBars(results, bars, `${title} · ${BARS}`))
  const factors = factorFigures(results, server)
  if (factors.length > 0) pictures.set('-factors', sheet(factors, title, 'DELETE solid, TRUNCATE dashed'))
  const asides = main === undefined ? [] : asideFigures(results, server, main.case)
  if (asides.length > 0) pictures.set('-asides', sheet(asides, title, 'median, by the number of rows'))
  return pictures
}

/** All servers in one picture; `undefined` if there is nothing to compare. */
export function pictureOfServers(results: BenchResults): string | undefined {
  const bars = barsOfServers(results)
  return hasCrossovers(bars) ? drawBars(results, bars, `base case · ${BARS}`) : undefined
}

/** One bar for each of several comparisons, on a light or a dark background. */
export function drawBars(
  results: Pick<BenchResults, 'cells'>,
  bars: readonly Bar[],
  subtitle: string,
  theme: Theme = THEMES.light,
): string {
  const size = { width: WIDE, height: crossoverChartHeight(bars.length) + 60 }
  return draw(crossoverChart(results, bars, { theme, ...size, still: { subtitle } }), size)
}

function draw(option: EChartsOption, size: Pick<Canvas, 'width' | 'height'>): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...size })
  chart.setOption(option)
  const svg = chart.renderToSVGString()
  chart.dispose()
  keepMemorySmall()
  return `${svg.replaceAll(FOR_PROGRAMS, '')}\n`
}

/** What ECharts adds for interactive use: half of the picture. */
const FOR_PROGRAMS = / (?:ecmeta_\w+|class|pointer-events|xml:space)="[^"]*"|<style >[\s\S]*?<\/style>/g

function drawFigure(figure: Figure, subtitle: string, width: number, plot: number): string {
  const size = { width, height: stillHeight(figure, width, plot) }
  return draw(chartOf(figure, { theme: THEMES.light, ...size, still: { subtitle } }), size)
}

/** Small multiples in two columns, under a common title. */
function sheet(figures: readonly Figure[], title: string, subtitle: string): string {
  const plot = 210
  const { background, text } = THEMES.light
  const [panels, width]: [string[], number] = [[], SMALL * Math.min(2, figures.length)]
  let top = 44
  for (let first = 0; first < figures.length; first += 2) {
    const row = figures.slice(first, first + 2)
    panels.push(
      ...row.map((figure, column) =>
        drawFigure(figure, subtitle, SMALL, plot).replace('<svg ', `<svg x="${column * SMALL}" y="${top}" `),
      ),
    )
    top += Math.max(...row.map((figure) => stillHeight(figure, SMALL, plot)))
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top}" viewBox="0 0 ${width} ${top}">`,
    `<rect width="${width}" height="${top}" fill="${background}"/>`,
    `<text x="16" y="32" font-family="system-ui, sans-serif" font-size="18" font-weight="600" fill="${text}">${escapeHtml(title)}</text>`,
    ...panels,
    '</svg>\n',
  ].join('\n')
}
