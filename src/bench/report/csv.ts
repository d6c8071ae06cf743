import { oddityOf } from '../distribution.ts'
import type { BenchResults, Cell } from '../results.ts'

const COLUMNS = [
  'server',
  'case',
  'label',
  'rows',
  'method',
  'outcome',
  'n',
  'median',
  'q1',
  'q3',
  'min',
  'max',
  'journalBytes',
  'freedBytes',
  'leftBytes',
  'readerWaitMs',
  'nextInsertMs',
  'cpuMs',
  'remark',
] as const

/** All cells as CSV (RFC 4180), with the names and units of `results.json`. */
export function csvOf({ cases, cells }: BenchResults): string {
  const labels = new Map(cases.map(({ id, label }) => [id, label]))
  const lines = cells.map((cell) => {
    const values: Readonly<Record<string, unknown>> = {
      ...cell,
      label: labels.get(cell.case),
      remark: remarkOf(cell),
    }
    return COLUMNS.map((column) => fieldOf(values[column]))
  })
  return [COLUMNS, ...lines].map((line) => `${line.join(',')}\r\n`).join('')
}

/** Every single time in the order of measurement, one a line: `round` counts from 1, `ms` is milliseconds. */
export function samplesCsvOf({ cells }: BenchResults): string {
  const lines = cells.flatMap((cell) =>
    cell.outcome !== 'measured'
      ? []
      : (cell.samples ?? []).map((ms, index) =>
          [cell.server, cell.case, cell.rows, cell.method, index + 1, ms].map(fieldOf),
        ),
  )
  const columns = ['server', 'case', 'rows', 'method', 'round', 'ms']
  return [columns, ...lines].map((line) => `${line.join(',')}\r\n`).join('')
}

function remarkOf(cell: Cell): string {
  if (cell.outcome === 'measured') return oddityOf(cell.samples ?? []) ?? ''
  return cell.outcome === 'extrapolated' ? cell.basis : cell.reason
}

function fieldOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'number') return String(value)
  // Spreadsheets read such a text as a formula, unless an apostrophe precedes it.
  const text = String(value).replace(/^[=+\-@\t\r\n]/, "'$&")
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
