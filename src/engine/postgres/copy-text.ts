import type { Column } from '../../schema/schema.ts'
import { jsonOf, Numeral, type SourceRow, type Value } from '../bulk-insert.ts'

/** A row in the text format of COPY: https://www.postgresql.org/docs/current/sql-copy.html */
export function copyRow({ values }: SourceRow, columns: readonly Column[]): string {
  let row = ''
  for (let index = 0; index < values.length; index++) {
    if (index > 0) row += '\t'
    const value = values[index]
    if (value === null || value === undefined) row += '\\N'
    else row += escaped(typeof value === 'string' ? value : textFor(value, columns[index]))
  }
  return `${row}\n`
}

const SPECIAL = /[\\\n\r\t]/
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function escaped(text: string): string {
  return SPECIAL.test(text) ? text.replace(/[\\\n\r\t]/g, (character) => ESCAPES[character] ?? '') : text
}

function textFor(value: Exclude<Value, null>, column: Column | undefined): string {
  if (value instanceof Uint8Array) return hex(value)
  if (value instanceof Numeral && !/^jsonb?$/.test(column?.type ?? '')) return value.text
  const type = column?.baseType ?? column?.type ?? ''
  if (Array.isArray(value) && type.endsWith('[]')) return arrayText(value, /^jsonb?\[/.test(type))
  return typeof value === 'string' ? value : jsonOf(value)
}

/** https://www.postgresql.org/docs/current/arrays.html#ARRAYS-INPUT */
function arrayText(values: readonly Value[], isJson: boolean): string {
  const elements = values.map((value): string => {
    if (value === null) return 'NULL'
    if (Array.isArray(value) && !isJson) return arrayText(value, isJson)
    if (value instanceof Numeral) return value.text
    if (value instanceof Uint8Array) return quoted(hex(value))
    return quoted(typeof value === 'string' ? value : jsonOf(value))
  })
  return `{${elements.join(',')}}`
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

function hex(bytes: Uint8Array): string {
  return `\\x${Buffer.from(bytes).toString('hex')}`
}
