import type { Comparison } from '../../bench/compare-runs.ts'
import { caseName } from '../../bench/report/figure.ts'
import { timeText, visible } from '../../bench/report/format.ts'
import { recommendationsOf } from '../../bench/report/recommend.ts'
import { type BenchResults, type Cell, findCell } from '../../bench/results.ts'

/** The results as Markdown: per server a table of DELETE and TRUNCATE in each case, and what follows from it. */
export function markdownOf(
  results: BenchResults,
  comparison: Comparison | undefined,
  against: string | undefined,
): string {
  const servers = results.servers.map((server) => serverText(results, server.id))
  return [...servers, ...(comparison === undefined ? [] : [comparisonText(comparison, against ?? '')])].join(
    '\n\n',
  )
}

function serverText(results: BenchResults, id: string): string {
  const server = results.servers.find((one) => one.id === id)
  const rows = recommendationsOf(results, id).map((recommendation) => [
    caseName(results, recommendation.case),
    recommendation.text,
  ])
  const sizes = results.settings.rows.filter((count) =>
    results.cells.some((cell) => cell.server === id && cell.rows === count && 'median' in cell),
  )
  const cases = results.cases.filter((one) =>
    results.cells.some((cell) => cell.server === id && cell.case === one.id),
  )
  const times = cases.flatMap((one) =>
    results.methods.flatMap((method) => {
      const cells = sizes.map((count) =>
        findCell(results, { server: id, case: one.id, rows: count, method: method.id }),
      )
      if (!cells.some((cell) => cell !== undefined && 'median' in cell)) return []
      return [[caseName(results, one.id), method.label, ...cells.map(cellText)]]
    }),
  )
  const conditions = Object.entries(server?.conditions ?? {}).map(([name, text]) => `- ${name}: ${text}`)
  return [
    `### ${escaped(server?.title ?? id)}`,
    table(['case', 'faster'], rows),
    table(['case', 'method', ...sizes.map((count) => `${count.toLocaleString('en-US')} rows`)], times),
    conditions.map(escaped).join('\n'),
  ].join('\n\n')
}

function comparisonText({ changed, compared, drift }: Comparison, against: string): string {
  const head = `### Against ${escaped(against)}\n\n${compared} figures in common; the middle of all takes ${drift.toFixed(2)} times as long.`
  if (changed.length === 0) return `${head} Nothing differs by more than noise.`
  const rows = changed.map(
    ({ server, case: id, rows: count, method, beforeMs, afterMs, ratio, interval }) => [
      `${server}, ${id}`,
      count.toLocaleString('en-US'),
      method,
      timeText(beforeMs),
      timeText(afterMs),
      `${ratio.toFixed(2)} (${interval.low.toFixed(2)} to ${interval.high.toFixed(2)})`,
    ],
  )
  return `${head}\n\n${table(['where', 'rows', 'method', 'before', 'after', 'times as long'], rows)}`
}

function cellText(cell: Cell | undefined): string {
  if (cell === undefined || !('median' in cell)) return '–'
  return `${cell.outcome === 'extrapolated' ? '~' : ''}${timeText(cell.median)}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Names of tables may contain anything. */
function escaped(text: string): string {
  return visible(text).replaceAll(/[|<>`*_[\]\\]/g, (character) => `\\${character}`)
}
