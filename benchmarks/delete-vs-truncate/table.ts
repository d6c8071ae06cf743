import { recommendationsOf } from '../../src/bench/report/recommend.ts'
import { type BenchResults, findCell, medianOf } from '../../src/bench/results.ts'

/** Every second power of ten, and the maximum. */
const SHOWN = [1, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000]

/**
 * The table in docs/performance.md: DELETE and TRUNCATE side by side on each server, and their crossover.
 * Markdown.
 */
export function comparisonTable(results: BenchResults): string {
  const { servers, machine, date } = results
  const rows = SHOWN.filter((number) => results.settings.rows.includes(number))
  const lines = [
    row(['rows', ...servers.map(({ title }) => shortTitle(title))]),
    row(['--:', ...servers.map(() => '---')]),
    ...rows.map((number) =>
      row([number.toLocaleString('en-US'), ...servers.map(({ id }) => pair(results, id, number))]),
    ),
  ]
  const crossings = servers.map(
    ({ id, title }) =>
      `- **${shortTitle(title)}**: ${recommendationsOf(results, id)[0]?.text ?? 'not measured'}`,
  )
  const remark = `Medians in milliseconds, DELETE / TRUNCATE; ~ marks extrapolated figures. ${date.slice(0, 10)}, ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}.`
  return [lines.join('\n'), remark, crossings.join('\n')].join('\n\n')
}

function pair(results: BenchResults, server: string, rows: number): string {
  const figures = ['delete', 'truncate'].map((method) => {
    const cell = findCell(results, { server, case: 'base', rows, method })
    const median = medianOf(cell)
    if (median === undefined) return '–'
    return `${cell?.outcome === 'extrapolated' ? '~' : ''}${short(median)}`
  })
  return figures[1] === '–' ? (figures[0] ?? '–') : figures.join(' / ')
}

/** Two significant digits. */
function short(ms: number): string {
  return Number(ms.toPrecision(2)).toLocaleString('en-US', { maximumFractionDigits: 3 })
}

/**
 * Shortens `PostgreSQL 18.6 in a container (postgres:18)` to `PostgreSQL 18.6`; marks the embedded server.
 */
function shortTitle(title: string): string {
  const [name = title] = /^\S+ [\d.]+/.exec(title) ?? []
  return title.includes('embedded') ? `${name} embedded` : name
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
