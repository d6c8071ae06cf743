import type { Value } from '../../engine/bulk-insert.ts'
import { messageOf } from '../../errors.ts'
import { type InputFile, readBytes, utf8Of } from '../files.ts'
import { binaryOr, type FileRows, inRuns, type ParsedRow, tableOfFile, unreadable } from './file-rows.ts'
import { JsonError, JsonReader } from './parse-json.ts'

const SHAPE =
  'Write a list of rows ([{ "id": 1 }]), or an object with a list for each table ({ "users": [{ "id": 1 }] }).'

/**
 * A JSON file: a list of rows for the table that the file is named after, or lists of rows by table.
 *
 * @throws AfreshError `baseline` for a file that is not JSON of this shape
 */
export async function readJson(file: InputFile): Promise<FileRows[]> {
  const reader = new JsonReader(utf8Of(await readBytes(file)))
  try {
    return inRuns(file.label, rowsIn(reader, tableOfFile(file.path)))
  } catch (error) {
    if (error instanceof JsonError) throw unreadable(file.label, error.line, `${error.message}.`, SHAPE)
    throw error
  }
}

function* rowsIn(reader: JsonReader, ownTable: string): Generator<ParsedRow> {
  if (reader.peek() === '{') for (const table of reader.members()) yield* rowsOf(reader, table)
  else yield* rowsOf(reader, ownTable)
  reader.end()
}

function* rowsOf(reader: JsonReader, table: string): Generator<ParsedRow> {
  for (const _ of reader.elements()) {
    const { line } = reader
    const values = new Map<string, Value>()
    for (const name of reader.members()) values.set(name, cellOf(reader))
    yield { table, line, values }
  }
}

function cellOf(reader: JsonReader): Value {
  const { line } = reader
  const value = reader.value()
  try {
    return binaryOr(value)
  } catch (error) {
    throw new JsonError(line, messageOf(error))
  }
}
