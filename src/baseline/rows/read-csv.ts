import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { SourceRow } from '../../engine/bulk-insert.ts'
import type { InputFile } from '../files.ts'
import { CsvError, splitCsv } from './csv-records.ts'
import { type FileRows, tableOfFile, unreadable } from './file-rows.ts'

const CHUNK_BYTES = 256 * 1024
/** Characters of one record: a longer one is a quote that was never closed. */
const LONGEST_RECORD = 128 * 1024 * 1024

/**
 * A CSV file whose first line names the columns. Its rows are read when they are needed, in constant memory.
 *
 * @throws AfreshError `baseline` for a file without a valid first line
 */
export async function readCsv(file: InputFile): Promise<FileRows[]> {
  for await (const [header] of records(file)) {
    if (header === undefined) continue
    const columns = header.values.map((value) => {
      if (typeof value === 'string') return value
      throw unreadable(
        file.label,
        header.line,
        'a column has no name.',
        'Name each column in the first line.',
      )
    })
    return [
      {
        file: file.label,
        line: header.line,
        table: tableOfFile(file.path),
        columns,
        batches: () => rowsOf(file, columns),
      },
    ]
  }
  throw unreadable(file.label, 1, 'the file is empty.', 'Its first line has to name the columns.')
}

async function* rowsOf(file: InputFile, columns: readonly string[]): AsyncGenerator<readonly SourceRow[]> {
  let isHeader = true
  for await (const batch of records(file)) {
    const rows = columns.length === 1 ? batch : batch.filter(({ values }) => !isBlank(values))
    for (const { line, values } of rows) {
      if (values.length === columns.length) continue
      throw unreadable(
        file.label,
        line,
        `the row has ${values.length} values, and the first line names ${columns.length} columns (${columns.join(', ')}).`,
        'Values are separated by commas; quote a value that contains one: "a, b".',
      )
    }
    yield isHeader ? rows.slice(1) : rows
    isHeader &&= rows.length === 0
  }
}

/** A line that is empty. With a single column, it is a row whose value is NULL. */
function isBlank(values: SourceRow['values']): boolean {
  return values.length === 1 && values[0] === null
}

async function* records(file: InputFile): AsyncGenerator<readonly SourceRow[]> {
  let rest = ''
  let line = 1
  let wanted = 0
  const split = (isLast: boolean) => {
    try {
      const part = splitCsv(rest, line, isLast)
      // A record that is not complete is not inspected again before there is twice as much of it.
      wanted = part.records.length === 0 ? rest.length * 2 : 0
      if (wanted > LONGEST_RECORD * 2) throw new CsvError(line, 'a quote is never closed')
      rest = part.rest
      line = part.line
      return part.records
    } catch (error) {
      throw error instanceof CsvError ? notCsv(file, error) : error
    }
  }
  for await (const text of textOf(file)) {
    rest += text
    if (rest.length >= wanted) yield split(false)
  }
  yield split(true)
}

async function* textOf({ path, label }: InputFile): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const decoded = async (bytes?: Buffer): Promise<string> => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined })
    } catch {
      const next = 'Convert it: iconv -f latin1 -t utf8, or whichever encoding it is in.'
      throw unreadable(label, await firstLineThatIsNotUtf8(path), 'it is not UTF-8 text.', next)
    }
  }
  for await (const bytes of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
    const chunk = bytes as Buffer
    if (chunk.includes(0)) {
      throw unreadable(label, 1, 'it has NUL bytes (UTF-16, or compressed?).', 'Convert it to UTF-8 text.')
    }
    yield await decoded(chunk)
  }
  yield await decoded()
}

async function firstLineThatIsNotUtf8(path: string): Promise<number> {
  let line = 0
  for await (const text of createInterface({ input: createReadStream(path, 'latin1') })) {
    line++
    if (!isUtf8(Buffer.from(text, 'latin1'))) return line
  }
  return line
}

function notCsv({ label }: InputFile, { line, message }: CsvError): Error {
  return unreadable(
    label,
    line,
    `${message}.`,
    'Quote the whole value, and write each quote within it twice: "a ""b"" c".',
  )
}
