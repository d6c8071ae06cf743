import { type Figure, type Line, type Point, valueText } from './figure.ts'
import { bytesText, escapeHtml, rowsText, spanText, whole } from './format.ts'
import { pathOf, type Theme } from './series-style.ts'

/** The parts of ECharts' tooltip parameters that are used here. */
interface Pointed {
  readonly seriesName?: string
  readonly value?: unknown
}

/** The figures of all visible lines at the number of rows under the pointer, as HTML. */
export function tooltipOf(figure: Figure, theme: Theme, pointed: readonly Pointed[]): string {
  const coordinate = pointed
    .flatMap(({ value }) => (Array.isArray(value) ? Number(value[0]) : []))
    .find(Number.isFinite)
  const rows = nearest(figure, coordinate)
  if (rows === undefined) return ''
  const shown = new Set(pointed.map(({ seriesName }) => seriesName))
  const lines = figure.lines.filter(({ group }) => shown.has(group))
  const body = lines.flatMap((line) => {
    const point = line.points.find((candidate) => candidate.rows === rows)
    return point === undefined ? [] : [lineOf(figure, line, point, theme)]
  })
  return `<strong>${rowsText(rows)}</strong><table class="tip">${body.join('')}</table>`
}

function nearest({ lines }: Figure, coordinate = Number.NaN): number | undefined {
  const rows = lines.flatMap((line) => line.points.map((point) => point.rows)).toSorted((a, b) => a - b)
  const off = (value: number) => Math.abs(Math.log10(value) - coordinate)
  const found = rows.filter((value) => value > 0).toSorted((a, b) => off(a) - off(b))[0]
  // 0 is a decade away from all other values (see `scale.ts`).
  return found === undefined || (rows[0] === 0 && off(found) > 0.5 && coordinate < Math.log10(found))
    ? rows[0]
    : found
}

/** Up to this number of lines, each has a second row. */
const FEW = 4

function lineOf(figure: Figure, { name, look }: Line, point: Point, theme: Theme): string {
  const swatch = `<svg width="10" height="10" viewBox="-5 -5 10 10"><path d="${pathOf(look)}" fill="${look.color[theme.id]}"/></svg>`
  const details = detailsOf(figure, point)
  const more = figure.lines.length > FEW ? [] : sizesOf(figure, point)
  return [
    `<tr><td>${swatch} ${escapeHtml(name)}</td><td><b>${valueText(figure, point.value)}</b></td><td>${escapeHtml(details)}</td></tr>`,
    ...(more.length === 0 ? [] : [`<tr><td colspan="3">${escapeHtml(more.join(', '))}</td></tr>`]),
  ].join('')
}

/** `1.2–1.4 ms, n 30`: the quartiles and the number of samples. */
function detailsOf(figure: Figure, { q1, q3, cell }: Point): string {
  if (cell.outcome === 'extrapolated') return `extrapolated: ${cell.basis}`
  const count = `n ${whole(cell.n)}`
  return q1 < q3 ? `${spanText(q1, q3, (value) => valueText(figure, value))}, ${count}` : count
}

/** `journal 82 kB`, … for a time; nothing for a size. */
function sizesOf({ unit }: Figure, { value, cell }: Point): string[] {
  if (cell.outcome === 'extrapolated' || unit !== 'time' || value !== cell.median) return []
  const sizes = [
    ['journal', cell.journalBytes],
    ['left', cell.leftBytes],
    ['freed', cell.freedBytes],
  ] as const
  return sizes.flatMap(([what, size]) => (size === null ? [] : [`${what} ${bytesText(size)}`]))
}
