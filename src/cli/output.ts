import { styleText } from 'node:util'
import { noProgress, type Progress } from '../util/progress.ts'
import { withProgressLine } from '../util/progress-line.ts'

export { count, duration } from '../util/words.ts'

/** Where a command prints. With `--json`, stdout gets only one document. Progress always goes to stderr. */
export interface Output {
  /** Prints a line of the result; does nothing with `--json`. */
  line(text?: string): void
  /** Prints the result as one JSON document; does nothing without `--json`. */
  document(value: unknown): void
  /** Reports a step that takes time, to stderr. */
  progress(text: string): void
  /** Reports to stderr what the work does, once it has taken a second; does nothing with `--json`. */
  during<T>(work: (progress: Progress) => Promise<T>): Promise<T>
  readonly style: Styles
  /** Characters per line. */
  readonly width: number
}

export interface Styles {
  bold(text: string): string
  dim(text: string): string
  good(text: string): string
  bad(text: string): string
}

const MAX_WIDTH = 110

export function outputFor({ json }: { readonly json: boolean }): Output {
  const style = stylesFor(process.stdout)
  const dimmed = stylesFor(process.stderr)
  return {
    line: (text = '') => {
      if (!json) process.stdout.write(`${text}\n`)
    },
    document: (value) => {
      if (json) process.stdout.write(`${toJson(value)}\n`)
    },
    progress: (text) => {
      process.stderr.write(`${dimmed.dim(`… ${text}`)}\n`)
    },
    during: (work) => (json ? work(noProgress) : withProgressLine(process.stderr, work)),
    style,
    width: Math.max(60, Math.min(process.stdout.columns ?? MAX_WIDTH, MAX_WIDTH)),
  }
}

/** Colors, on a terminal whose user has not disabled them (https://no-color.org). */
function stylesFor(stream: NodeJS.WriteStream): Styles {
  const { NO_COLOR, TERM } = process.env
  const isColourful = stream.isTTY === true && (NO_COLOR ?? '') === '' && TERM !== 'dumb'
  const as = (format: Parameters<typeof styleText>[0]) => (text: string) =>
    isColourful ? styleText(format, text) : text
  return { bold: as('bold'), dim: as('dim'), good: as('green'), bad: as('red') }
}

export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part), 2)
}

/** `a, b, c and 4 more`, with as many names as fit into `maxLength`. */
export function listed(labels: readonly string[], maxLength: number): string {
  for (let shown = labels.length; shown > 1; shown--) {
    const text = withRest(labels, shown)
    if (text.length <= maxLength) return text
  }
  return withRest(labels, 1)
}

function withRest(labels: readonly string[], shown: number): string {
  const rest = labels.length - shown
  return (
    labels
      .slice(0, shown)
      .map((label) => printable(label))
      .join(', ') + (rest > 0 ? ` and ${rest} more` : '')
  )
}

/** A name from a catalog, on one line, without control characters, shortened to `maxLength`. */
export function printable(name: string, maxLength = Number.POSITIVE_INFINITY): string {
  const escaped = name.replaceAll(CONTROL, (character) => JSON.stringify(character).slice(1, -1))
  return escaped.length <= maxLength ? escaped : `${escaped.slice(0, maxLength - 1)}…`
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g

/** Cells in as many columns as fit, to be read downwards. */
export function inColumns(cells: readonly string[], width: number, indent = '  '): string[] {
  const cellWidth = Math.max(0, ...cells.map((cell) => cell.length)) + 3
  const across = Math.max(1, Math.floor((width - indent.length + 3) / cellWidth))
  const down = Math.ceil(cells.length / across)
  return Array.from({ length: down }, (_, row) => {
    const inRow = cells.filter((_cell, index) => index % down === row)
    return `${indent}${inRow.map((cell) => cell.padEnd(cellWidth)).join('')}`.trimEnd()
  })
}

/** Rows with aligned columns. The last column is not padded. Numbers are right-aligned. */
export function aligned(rows: readonly (readonly (string | number)[])[], indent = '  '): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, index) =>
    Math.max(0, ...rows.map((row) => String(row[index] ?? '').length)),
  )
  return rows.map((row) => {
    const cells = row.map((cell, index) => {
      const width = widths[index] ?? 0
      return typeof cell === 'number' ? String(cell).padStart(width) : cell.padEnd(width)
    })
    return `${indent}${cells.join('  ')}`.trimEnd()
  })
}
