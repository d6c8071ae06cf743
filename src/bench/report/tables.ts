import { oddityOf } from '../distribution.ts'
import type { BenchResults, Cell, ServerResults } from '../results.ts'
import { baseCaseOf, isOwnTable } from './base-case.ts'
import { caseName, methodLabel } from './figure.ts'
import { bytesText, escapeHtml, rowsText, spanText, timeText, whole } from './format.ts'
import type { Recommendation } from './recommend.ts'

/** The recommendation for each case, or for each table of the user. */
export function answersTable(results: BenchResults, recommendations: readonly Recommendation[]): string {
  const lines = recommendations.map(
    (recommendation) =>
      `<tr><th scope="row" class="name">${escapeHtml(caseName(results, recommendation.case))}<td>${escapeHtml(recommendation.text)}`,
  )
  return table(
    'What to do',
    ['In this case', 'do this'].map((text) => `<th scope="col">${text}`),
    [lines],
  )
}

const COLUMNS = [
  'Rows',
  'Method',
  'Median',
  'Quartiles',
  'n',
  'Journal',
  'Bloat left',
  'Given back',
  'Reader waited',
  'Next INSERT',
] as const

/** All figures of a server, one collapsed table per case. */
export function figureTables(results: BenchResults, { id: server, title }: ServerResults): string {
  const tables = results.cases.flatMap(({ id, label }) => {
    const cellsOfCase = results.cells.filter((cell) => cell.server === server && cell.case === id)
    if (cellsOfCase.length === 0) return []
    const name = caseName(results, id)
    const text = id === baseCaseOf(results) ? `${name}: ${label}` : name
    const shown = figureTable(results, cellsOfCase, `${text}, on ${title}`)
    return [`<details><summary>${escapeHtml(text)}</summary>${shown}</details>`]
  })
  const many = tables.length === 1 ? '1 table' : `${tables.length} tables`
  return `<details><summary>All in ${many}</summary>\n${tables.join('\n')}\n</details>`
}

function figureTable(results: BenchResults, cells: readonly Cell[], caption: string): string {
  const order = new Map(results.methods.map(({ id }, index) => [id, index]))
  const sizes = [...new Set(cells.map(({ rows }) => rows))].toSorted((a, b) => a - b)
  const groups = sizes.map((rows) =>
    cells
      .filter((cell) => cell.rows === rows)
      .toSorted((a, b) => (order.get(a.method) ?? 0) - (order.get(b.method) ?? 0))
      .map((cell) => {
        const method = `<th scope="row">${escapeHtml(methodLabel(results, cell.method))}`
        return `<tr><td class="n">${whole(rows)}${method}${figuresOf(cell)}`
      }),
  )
  return table(
    caption,
    COLUMNS.map((column) => `<th scope="col"${column === 'Method' ? '' : ' class="n"'}>${column}`),
    groups,
  )
}

function figuresOf(cell: Cell): string {
  if ('reason' in cell) return `<td colspan="8">${escapeHtml(`${cell.outcome}: ${cell.reason}`)}`
  const number = (text: string) => `<td class="n">${text}`
  if (cell.outcome === 'extrapolated')
    return `${number(timeText(cell.median))}<td colspan="7">${escapeHtml(`extrapolated: ${cell.basis}`)}`
  const known = (value: number | null, text: (value: number) => string) =>
    value === null ? '–' : text(value)
  return [
    timeText(cell.median),
    spanText(cell.q1, cell.q3, timeText),
    [whole(cell.n), oddityOf(cell.samples ?? [])].filter((text) => text !== undefined).join(', '),
    known(cell.journalBytes, bytesText),
    known(cell.leftBytes, bytesText),
    known(cell.freedBytes, bytesText),
    known(cell.readerWaitMs, timeText),
    known(cell.nextInsertMs, timeText),
  ]
    .map(number)
    .join('')
}

/** Explains the methods and the cases. */
export function meaningTables({ methods, cases, settings }: BenchResults): string {
  const pair = (name: string, text: string) =>
    `<tr><th scope="row" class="name">${escapeHtml(name)}<td>${escapeHtml(text)}`
  const heads = (names: readonly string[]) => names.map((name) => `<th scope="col">${name}`)
  const varied = cases.filter((benchCase) => !isOwnTable(benchCase))
  return [
    table('The methods', heads(['Method', 'what it does']), [
      methods.map(({ label, note }) => pair(label, note)),
    ]),
    varied.length === 0
      ? ''
      : table('The cases', heads(['What is varied', 'how']), [
          varied.map(({ factor, label }) => pair(factor || 'base case', label)),
        ]),
    `<p class="muted">Numbers of rows: ${settings.rows.map((rows) => whole(rows)).join(', ')} (${rowsText(Math.max(0, ...settings.rows))} at most).</p>`,
  ].join('\n')
}

/** A table in a box that scrolls, also by keyboard, so that the page need not. */
function table(caption: string, heads: readonly string[], groups: readonly (readonly string[])[]): string {
  const text = escapeHtml(caption)
  const bodies = groups.map((lines) => `<tbody>${lines.join('')}`).join('')
  return `<div class="scroll" role="region" tabindex="0" aria-label="${text}"><table><caption>${text}</caption><thead><tr>${heads.join('')}${bodies}</table></div>`
}
