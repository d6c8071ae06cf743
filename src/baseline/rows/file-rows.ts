import { basename, extname } from 'node:path'
import type { SourceRow, Value } from '../../engine/bulk-insert.ts'
import { AfreshError } from '../../errors.ts'

/** Rows of a file for one table, which all have the same columns. */
export interface FileRows {
  /** The name of the file for messages. */
  readonly file: string
  /** The line that names the table and the columns. */
  readonly line: number
  /** As the file, or its name, says. */
  readonly table: string
  readonly columns: readonly string[]
  /** Reads the rows from the first one, each time it is called. */
  batches(): AsyncIterable<readonly SourceRow[]>
}

/** A row of a file that is in memory. */
export interface ParsedRow {
  readonly table: string
  readonly line: number
  readonly values: ReadonlyMap<string, Value>
}

export const ROW_EXTENSIONS: readonly string[] = ['.csv', '.json', '.yaml', '.yml']

/** `orders` for `fixtures/orders.csv`. */
export function tableOfFile(path: string): string {
  return basename(path, extname(path))
}

const BATCH = 1000

/** Consecutive rows with the same columns belong together: generated ids follow the order of the file. */
export function inRuns(file: string, rows: Iterable<ParsedRow>): FileRows[] {
  const runs: { first: ParsedRow; columns: string[]; rows: SourceRow[] }[] = []
  for (const row of rows) {
    const { table, line, values } = row
    const last = runs.at(-1)
    const isSame =
      last?.first.table === table &&
      last.columns.length === values.size &&
      last.columns.every((name) => values.has(name))
    const columns = isSame ? last.columns : [...values.keys()]
    const source = { line, values: columns.map((name) => values.get(name) ?? null) }
    if (isSame) last.rows.push(source)
    else runs.push({ first: row, columns, rows: [source] })
  }
  return runs.map(({ first, columns, rows: own }) => ({
    file,
    line: first.line,
    table: first.table,
    columns,
    async *batches() {
      for (let from = 0; from < own.length; from += BATCH) yield own.slice(from, from + BATCH)
    },
  }))
}

/** A file that cannot be understood. */
export function unreadable(file: string, line: number, problem: string, next: string): AfreshError {
  return new AfreshError('baseline', `${file}:${line}: ${problem}`, { next })
}

/** A JSON value with this member alone is binary. */
const BINARY = '$binary'

/** `{ "$binary": "aGVsbG8=" }` as bytes; any other value unchanged. Throws for text that is not base64. */
export function binaryOr(value: Value): Value {
  if (!(value instanceof Map) || value.size !== 1) return value
  const encoded: unknown = value.get(BINARY)
  if (typeof encoded !== 'string') return value
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(encoded)) {
    throw new Error(`the value of ${BINARY} is not base64`)
  }
  return Buffer.from(encoded, 'base64')
}
