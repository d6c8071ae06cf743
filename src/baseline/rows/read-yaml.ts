import type { Document, LineCounter, ScalarTag } from 'yaml'
import { Numeral, type Value } from '../../engine/bulk-insert.ts'
import { messageOf } from '../../errors.ts'
import { type InputFile, readBytes, utf8Of } from '../files.ts'
import { binaryOr, type FileRows, inRuns, type ParsedRow, tableOfFile, unreadable } from './file-rows.ts'

const SHAPE =
  'Write a list of rows (- id: 1), or a list of rows for each table (users: and below it - id: 1).'

/** Decimal numbers, as they are written (01234 may be a text); all others mean what YAML says, such as 0x10. */
const NUMBER: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  test: /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/,
  resolve: (text: string) => new Numeral(text),
  identify: (value: unknown) => value instanceof Numeral,
}

/**
 * A YAML file (1.2): a list of rows for the table that the file is named after, or lists of rows by table.
 *
 * @throws AfreshError `baseline` for a file that is not YAML of this shape
 */
export async function readYaml(file: InputFile): Promise<FileRows[]> {
  const yaml = await import('yaml')
  const lines = new yaml.LineCounter()
  const document = yaml.parseDocument(utf8Of(await readBytes(file)), {
    lineCounter: lines,
    merge: true,
    intAsBigInt: true,
    customTags: (tags) => [NUMBER, ...tags, 'binary'],
    prettyErrors: false,
  })
  const [problem] = document.errors
  if (problem !== undefined) {
    throw unreadable(file.label, lines.linePos(problem.pos[0]).line, `${problem.message}.`, SHAPE)
  }
  return inRuns(file.label, rowsIn({ yaml, lines, document, file }))
}

interface Context {
  readonly yaml: typeof import('yaml')
  readonly lines: LineCounter
  readonly document: Document
  readonly file: InputFile
}

function* rowsIn(context: Context): Generator<ParsedRow> {
  const { yaml, document, file } = context
  const { contents } = document
  if (contents === null || (yaml.isScalar(contents) && contents.value === null)) return
  if (!yaml.isMap(contents)) return yield* rowsOf(context, tableOfFile(file.path), contents)
  for (const { key, value } of contents.items) {
    yield* rowsOf(context, String(key), value)
  }
}

function* rowsOf(context: Context, table: string, node: unknown): Generator<ParsedRow> {
  const { yaml, document, file } = context
  const list = resolved(context, node)
  if (list === null || (yaml.isScalar(list) && list.value === null)) return
  if (!yaml.isSeq(list))
    throw unreadable(file.label, lineOf(context, node), `${table}: expected a list of rows.`, SHAPE)
  for (const item of list.items) {
    const line = lineOf(context, item)
    if (!yaml.isMap(resolved(context, item))) {
      throw unreadable(
        file.label,
        line,
        `${table}: expected a row, which has a value for each column.`,
        SHAPE,
      )
    }
    // The file is the user's own: an alias in every row is no attack.
    const row: unknown = yaml.isNode(item) ? item.toJS(document, { mapAsMap: true, maxAliasCount: -1 }) : item
    const values = new Map<string, Value>()
    for (const [name, value] of row as Map<unknown, unknown>) {
      values.set(textOfKey(name), cellOf(context, line, value))
    }
    yield { table, line, values }
  }
}

function resolved({ yaml, document }: Context, node: unknown): unknown {
  return yaml.isAlias(node) ? node.resolve(document) : node
}

function lineOf({ yaml, lines }: Context, node: unknown): number {
  return yaml.isNode(node) && node.range ? lines.linePos(node.range[0]).line : 1
}

function cellOf({ file }: Context, line: number, value: unknown): Value {
  try {
    return binaryOr(plainValue(value))
  } catch (error) {
    throw unreadable(
      file.label,
      line,
      `${messageOf(error)}.`,
      'Encode it, or write !!binary before the value.',
    )
  }
}

/** A value as the YAML library returns it. */
function plainValue(value: unknown): Value {
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint' || typeof value === 'number') return new Numeral(numberText(value))
  if (Array.isArray(value)) return value.map(plainValue)
  if (value instanceof Map) {
    return new Map([...value].map(([name, inner]) => [textOfKey(name), plainValue(inner)]))
  }
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (value instanceof Numeral || value instanceof Uint8Array) return value
  throw new Error(`a value of this kind is unknown: ${String(value)}`)
}

function numberText(value: bigint | number): string {
  return value === Number.POSITIVE_INFINITY ? 'Infinity' : String(value)
}

function textOfKey(name: unknown): string {
  return name instanceof Numeral ? name.text : String(name)
}
