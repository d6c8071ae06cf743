import type { Column } from '../../schema/schema.ts'
import { bytesOf, jsonOf, Numeral, type Value } from '../bulk-insert.ts'
import { literal } from './quote.ts'

/** Writes the values of a column as SQL, for a session without NO_BACKSLASH_ESCAPES whose time zone is UTC. */
export function valueSql({ type }: Column): (value: Value) => string {
  const kind = kindOf(type)
  return (value) => {
    if (value === null) return 'NULL'
    if (value instanceof Uint8Array) return hex(value)
    if (typeof value === 'string') return textSql(value, kind)
    if (kind === 'json' || kind === 'label') return literal(jsonOf(value))
    if (value instanceof Numeral) return NUMBER.test(value.text) ? value.text : literal(value.text)
    return typeof value === 'boolean' ? String(value) : literal(jsonOf(value))
  }
}

type Kind = 'binary' | 'bits' | 'boolean' | 'json' | 'label' | 'time' | 'other'

const KINDS: readonly (readonly [Kind, RegExp])[] = [
  ['binary', /^(?:var)?binary|blob/i],
  ['bits', /^bit\b/i],
  ['boolean', /^tinyint\(1\)/i],
  ['json', /^json\b/i],
  // A number would be the position of the label.
  ['label', /^(?:enum|set)\b/i],
  ['time', /^(?:datetime|timestamp)/i],
]

function kindOf(type: string): Kind {
  return KINDS.find(([, pattern]) => pattern.test(type))?.[0] ?? 'other'
}

/** Any other is written as text: 01234 keeps its zero where the column is one of texts. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i

function textSql(text: string, kind: Kind): string {
  switch (kind) {
    case 'binary': {
      const bytes = bytesOf(text)
      return bytes === undefined ? literal(text) : hex(bytes)
    }
    case 'bits':
      return /^\d+$/.test(text) ? text : literal(text)
    case 'boolean':
      return /^(?:true|false)$/i.test(text) ? text : literal(text)
    case 'time':
      return literal(inUtc(text))
    default:
      return literal(text)
  }
}

function hex(bytes: Uint8Array): string {
  return `X'${Buffer.from(bytes).toString('hex')}'`
}

const WITH_ZONE = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(\.\d+)?\s?(Z|[+-]\d\d:?\d\d)$/i

/** A time with a zone, which neither server reads in every version and type, as the same time in UTC. */
function inUtc(text: string): string {
  const [, day, time, seconds = ':00', fraction = '', zone = 'Z'] = WITH_ZONE.exec(text) ?? []
  if (day === undefined) return text
  const date = new Date(`${day}T${time}${seconds}${zone.replace(/(\d\d)(\d\d)$/, '$1:$2').toUpperCase()}`)
  if (Number.isNaN(date.getTime())) return text
  return `${date.toISOString().slice(0, 19).replace('T', ' ')}${fraction}`
}
