import type { MethodInfo } from './method.ts'
import { type Cell, hasSetting, type Results, type ServerInfo, type Setting } from './results.ts'
import type { Shape } from './tree.ts'

const SHAPE: Shape = 'fan'
const DEPTH = 4

/** The tables in README.md: the methods of each server by the number of rows. Markdown. */
export function eraseTables(results: Results): string {
  return [...serversOf(results).flatMap((server) => tableOf(results, server)), ...remarks(results)].join(
    '\n\n',
  )
}

/** The servers of all runs; the last run of a server determines its facts. */
function serversOf({ runs }: Results): ServerInfo[] {
  return [...new Map(runs.flatMap(({ servers }) => servers).map((server) => [server.id, server])).values()]
}

function tableOf(results: Results, { id: server, title }: ServerInfo): string[] {
  const sizes = sizesOf(results, server)
  const rows = results.methods.flatMap((method) => {
    const cells = sizes.map((size) =>
      cellOf(results, { server, shape: SHAPE, depth: DEPTH, rows: size }, method),
    )
    if (cells.every((cell) => cell === undefined)) return []
    return [[nameOf(method), ...cells.map(figure), memory(cells)]]
  })
  if (rows.length === 0) return []
  const head = ['', ...sizes.map((size) => size.toLocaleString('en-US')), 'memory']
  const lines = [row(head), row(['---', ...sizes.map(() => '--:'), '--:']), ...rows.map(row)]
  return [`**${title}**, ${DEPTH} tables, rows deleted:`, lines.join('\n'), ...depths(results, server)]
}

function cellOf({ cells }: Results, where: Setting, { id }: MethodInfo): Cell | undefined {
  return cells.find((cell) => cell.method === id && hasSetting(cell, where))
}

function sizesOf({ cells }: Results, server: string): number[] {
  const ofServer = cells.filter(
    (cell) => cell.server === server && cell.shape === SHAPE && cell.depth === DEPTH,
  )
  return [...new Set(ofServer.map(({ rows }) => rows))].toSorted((a, b) => a - b)
}

/**
 * afresh compared with hand-written SQL by the number of tables, at the row count with the most such cells.
 */
function depths({ cells }: Results, server: string): string[] {
  const parts = (['fan', 'even'] as const).flatMap((shape) => {
    const bySize = new Map<number, string[]>()
    for (const cell of cells.toSorted((a, b) => a.depth - b.depth)) {
      const isAfresh = cell.server === server && cell.shape === shape && cell.method === 'afresh'
      if (!isAfresh || cell.outcome !== 'measured' || cell.toHandWritten === undefined) continue
      bySize.set(cell.rows, [...(bySize.get(cell.rows) ?? []), `${cell.depth}: ${times(cell.toHandWritten)}`])
    }
    const [best] = [...bySize].toSorted(([rows, a], [more, b]) => b.length - a.length || more - rows)
    if (best === undefined) return []
    const [rows, list] = best
    const what = shape === 'fan' ? 'ten children each' : 'as many rows in each table'
    return [`${what}, ${rows.toLocaleString('en-US')} rows, ${list.join(', ')}`]
  })
  return parts.length === 0
    ? []
    : [`afresh compared with hand-written SQL, by the number of tables: ${parts.join('; ')}.`]
}

function figure(cell: Cell | undefined): string {
  if (cell === undefined) return ''
  if (cell.outcome === 'measured') {
    const ratio = cell.toHandWritten === undefined ? '' : ` (${times(cell.toHandWritten)})`
    return `${duration(cell.median)}${ratio}`
  }
  if (cell.outcome === 'failed') return 'fails'
  return cell.outcome === 'not run' ? '–' : cell.reason.replace('stopped after', '>')
}

/** The memory of the process with the most rows. */
function memory(cells: readonly (Cell | undefined)[]): string {
  const last = cells.findLast((cell) => cell?.outcome === 'measured')
  return last?.outcome === 'measured' ? `${last.readyRssMb} → ${last.peakRssMb} MB` : ''
}

function nameOf({ label, kind }: MethodInfo): string {
  return kind === 'afresh' ? `**${label}**` : label
}

function remarks({ runs, cells, methods }: Results): string[] {
  const last = runs.at(-1)
  if (last === undefined) return []
  const { machine, date } = last
  const rounds = Math.max(...runs.map(({ settings }) => settings.rounds))
  const budgets = runs.map(({ settings }) => settings.budgetSeconds)
  const [least, most] = [Math.min(...budgets), Math.max(...budgets)]
  const once = measuredOnce(cells).map((rows) => rows.toLocaleString('en-US'))
  const failures = cells.flatMap(({ server, method, rows, depth, ...cell }) =>
    'reason' in cell && cell.outcome === 'failed'
      ? [
          `${methods.find(({ id }) => id === method)?.label ?? method} (${server}, ${depth} tables, ${rows} rows): ${cell.reason}`,
        ]
      : [],
  )
  return [
    `In brackets: the ratio to the faster hand-written SQL. Memory: of the Node process with the most rows, when it was ready and at its peak. Medians of up to ${rounds} interleaved rounds${once.length === 0 ? '' : `, one with ${once.join(' or ')} rows`}, ${date.slice(0, 10)}, ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}. \`–\`: not run, because it took more than ${least === most ? least : `${least} to ${most}`} s, or failed, with fewer rows. Empty: not measured.`,
    ...(failures.length === 0 ? [] : [`Fails: ${[...new Set(failures)].join('; ')}.`]),
  ]
}

/** Row counts at which every method took so long that it ran one round. */
function measuredOnce(cells: readonly Cell[]): number[] {
  const measured = cells.flatMap((cell) => (cell.outcome === 'measured' ? [cell] : []))
  const sizes = [...new Set(measured.map(({ rows }) => rows))].toSorted((a, b) => a - b)
  return sizes.filter((size) => measured.every(({ rows, n }) => rows !== size || n === 1))
}

function duration(ms: number): string {
  return ms < 1000 ? `${short(ms)} ms` : `${short(ms / 1000)} s`
}

function times(ratio: number): string {
  return `${short(ratio)}×`
}

/** At most three significant digits, two below 10. */
function short(value: number): string {
  return Number(value.toPrecision(value < 10 ? 2 : 3)).toLocaleString('en-US', { maximumFractionDigits: 2 })
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
