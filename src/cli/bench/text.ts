/**
 * In: the results of a benchmark.
 * Out: lines for a terminal.
 * Called by `commands/bench.ts`.
 */
import { OWN_FACTOR } from '../../bench/cases.ts'
import type { Comparison } from '../../bench/compare-runs.ts'
import { oddityOf } from '../../bench/distribution.ts'
import { baseCaseOf } from '../../bench/report/base-case.ts'
import { recommendationsOf, summaryOf } from '../../bench/report/recommend.ts'
import { type BenchResults, type Cell, findCell } from '../../bench/results.ts'
import { aligned, count, duration, type Output, printable } from '../output.ts'

/** Prints the base case as one table per server, the effects of the other cases, and recommendations. */
export function writeResults(results: BenchResults, output: Output): void {
  const base = baseCaseOf(results)
  for (const server of results.servers) {
    output.line(output.style.bold(printable(server.title)))
    const hasBase = results.cells.some((cell) => cell.server === server.id && cell.case === base)
    if (hasBase) writeBase(results, server.id, output)
    const others = recommendationsOf(results, server.id).filter(
      (recommendation) => recommendation.case !== base,
    )
    if (hasBase && others.length > 0) output.line()
    const label = (id: string) => results.cases.find((benchCase) => benchCase.id === id)?.label ?? id
    for (const line of aligned(others.map((other) => [printable(label(other.case), 48), other.text])))
      output.line(line)
    for (const line of failuresOn(results, server.id)) output.line(output.style.bad(`  ${line}`))
    output.line()
  }
  for (const { title, text } of summaryOf(results))
    output.line(output.style.good(`${printable(title)}: ${text}`))
}

/** Each failure once, with the number of times it occurred. */
function failuresOn({ cells }: BenchResults, server: string): string[] {
  const reasons = cells.flatMap((cell) =>
    cell.server === server && cell.outcome === 'failed' ? [printable(cell.reason)] : [],
  )
  return [...new Set(reasons)].map((reason) => {
    const times = reasons.filter((candidate) => candidate === reason).length
    return `failed${times === 1 ? '' : ` ${times} times`}: ${reason}`
  })
}

function writeBase(results: BenchResults, server: string, output: Output): void {
  const rows = results.settings.rows.filter((number) =>
    results.cells.some((cell) => cell.server === server && cell.case === 'base' && cell.rows === number),
  )
  const table = results.methods
    .map(({ id, label }) => ({
      label,
      cells: rows.map((number) => findCell(results, { server, case: 'base', rows: number, method: id })),
    }))
    .filter(({ cells }) => cells.some((cell) => cell !== undefined && cell.outcome !== 'not possible'))
    .map(({ label, cells }) => [label, ...cells.map(textOf)])
  const head = ['rows', ...rows.map((number) => number.toLocaleString('en-US'))]
  const widths = rows.map((_, index) =>
    Math.max(...[head, ...table].map((line) => (line[index + 1] ?? '').length)),
  )
  const rightAligned = ([first = '', ...cells]: readonly string[]) => [
    first,
    ...cells.map((cell, index) => cell.padStart(widths[index] ?? 0)),
  ]
  for (const line of aligned([head, ...table].map(rightAligned))) output.line(line)
  const cells = results.cells.filter((cell) => cell.server === server && cell.case === 'base')
  for (const [sign, meaning] of REMARKS)
    if (cells.some((cell) => remarkOf(cell) === sign)) output.line(output.style.dim(`  ${sign} ${meaning}`))
}

function textOf(cell: Cell | undefined): string {
  switch (cell?.outcome) {
    case 'measured':
    case 'extrapolated':
      return `${remarkOf(cell)}${shortest(cell.median)}`
    case 'failed':
      return 'failed'
    default:
      return '-'
  }
}

const REMARKS = [
  ['~', 'not measured: what it would take if it went on as it began'],
  ['!', 'two groups of times, or stalls: the median alone says little (`--samples` writes all of them)'],
  ['?', 'fewer than 5 rounds'],
] as const

/** A sign before a time that is less certain than the others. */
function remarkOf(cell: Cell): string {
  if (cell.outcome === 'extrapolated') return '~'
  if (cell.outcome !== 'measured') return ''
  if (cell.n < 5) return '?'
  return oddityOf(cell.samples ?? []) === undefined ? '' : '!'
}

/** Shows durations below a millisecond with two significant digits instead of rounding them to zero. */
function shortest(ms: number): string {
  return ms < 1 ? `${ms.toPrecision(2)} ms` : duration(ms)
}

/** Prints the changes since another run. */
export function writeComparison(comparison: Comparison, against: string, output: Output): void {
  const { compared, drift, within, changed } = comparison
  output.line()
  output.line(output.style.bold(`Against ${against}`))
  if (compared === 0) {
    output.line('  The two have no figure in common.')
    return
  }
  output.line(
    `  ${count(compared, 'figure')} in common: everything takes ${drift.toFixed(2)} times as long (the middle of all); ` +
      `${Math.round(within * 100)} % lie within what the earlier run saw.`,
  )
  if (changed.length === 0) {
    output.line('  Nothing differs by more than noise.')
    return
  }
  output.line(`  More than noise, with the 95 % interval of the ratio:`)
  const rows = changed
    .slice(0, SHOWN)
    .map(({ server, case: id, rows: number, method, beforeMs, afterMs, ratio, interval }) => [
      `${server}, ${printable(withoutFactor(id), 40)}`,
      `${number.toLocaleString('en-US')} rows`,
      method,
      `${shortest(beforeMs)} -> ${shortest(afterMs)}`,
      `${ratio.toFixed(2)} times as long (${interval.low.toFixed(2)} to ${interval.high.toFixed(2)})`,
    ])
  for (const line of aligned(rows, '    ')) output.line(line)
  if (changed.length > SHOWN) output.line(`    and ${changed.length - SHOWN} more (all in --json)`)
}

/** A comparison has only ids. That of a user's table is `table=` followed by its distinguishing features. */
function withoutFactor(id: string): string {
  const start = `${OWN_FACTOR}=`
  return id.startsWith(start) ? id.slice(start.length) : id
}

const SHOWN = 20
