import type { ColumnFacts } from '../engine/row-dialect.ts'
import type { Random } from './random.ts'

/** A value for the column, as text; `undefined` for an unknown type. Pure. */
export function valueFor(column: ColumnFacts, random: Random): string | undefined {
  if (column.labels.length > 0) return random.pick(column.labels)
  const hints = hintsIn(column.conditions)
  if (hints.length > 0 && random.chance(0.6)) return random.pick(hints)
  return valueOfType(column, random)
}

/**
 * The string literals in the conditions, and the numbers n with n - 1 and n + 1. `CHECK (stars BETWEEN 1 AND
 * 5)`, `status IN ('new', 'done')` and `FROM ('2025-01-01')` all contain plausible values.
 */
export function hintsIn(conditions: readonly string[]): string[] {
  const text = conditions.join('\n')
  const quoted = [...text.matchAll(/'((?:[^']|'')*)'/g)].map(([, inner = '']) => inner.replaceAll("''", "'"))
  const numbers = [...text.replaceAll(/'(?:[^']|'')*'/g, '').matchAll(/(?<![\w.])\d{1,9}(?![\w.])/g)].map(
    Number,
  )
  return [...quoted, ...numbers.flatMap((number) => [number - 1, number, number + 1]).map(String)]
}

type Maker = (random: Random, size: Size, name: string) => string

/** The arguments of a type: `numeric(8,2)` has length 8 and scale 2. */
interface Size {
  readonly length: number | undefined
  readonly scale: number
}

function valueOfType({ type, name }: ColumnFacts, random: Random): string | undefined {
  if (type.endsWith('[]')) return '{}'
  const [, base = type, length, scale] = /^([a-z0-9_ "]+?) ?\((\d+)(?:,(\d+))?\)/.exec(type) ?? []
  const size = { length: length === undefined ? undefined : Number(length), scale: Number(scale ?? 0) }
  const found = MAKERS.find(([pattern]) => pattern.test(`${base}${length === '1' ? '(1)' : ''}`))
  return found?.[1](random, size, name.toLowerCase())
}

const whole =
  (max: number): Maker =>
  (random) =>
    String(random.int(1, max))

const MAKERS: readonly (readonly [RegExp, Maker])[] = [
  [/^(boolean|bool)/, (random) => (random.chance(0.5) ? 'true' : 'false')],
  [/^tinyint\(1\)/, (random) => String(random.int(0, 1))],
  [/^tinyint/, whole(120)],
  [/^(smallint|int2)/, whole(30_000)],
  [/^(integer|int|int4|mediumint)\b/, whole(1_000_000)],
  [/^(bigint|int8|oid)/, whole(1_000_000_000)],
  [/^(numeric|decimal)/, decimal],
  [/^(real|double|float|money)/, (random) => `${random.int(0, 999)}.${random.int(0, 9)}5`],
  [/^(character|char|varchar|text|citext|name|bpchar|tinytext|mediumtext|longtext)/, text],
  [/^date$/, (random) => date(random)],
  [/^(timestamp|datetime)/, (random) => `${date(random)} ${time(random)}`],
  [/^time/, (random) => time(random)],
  [/^year/, (random) => String(random.int(1990, 2030))],
  [/^interval/, (random) => `${random.int(1, 90)} days`],
  [/^uuid/, uuid],
  [/^json/, (random) => `{"n": ${random.int(1, 99)}}`],
  [/^(bytea|tinyblob|blob|mediumblob|longblob|binary|varbinary)/, (random) => String(random.int(0, 9))],
  [/^(inet)/, (random) => `10.${random.int(0, 255)}.${random.int(0, 255)}.${random.int(1, 254)}`],
  [/^cidr/, (random) => `10.${random.int(0, 255)}.0.0/16`],
  [/^macaddr$/, (random) => `08:00:2b:01:02:${random.int(10, 99)}`],
  [/^(int4range|int8range|numrange)/, (random) => `[${random.int(1, 9)},${random.int(10, 99)})`],
  [/^(daterange|tsrange|tstzrange)/, (random) => `[2024-01-01,2025-01-0${random.int(1, 9)})`],
  [/^(bit|bit varying)/, (random, { length = 1 }) => String(random.int(0, 1)).repeat(length)],
  [/^tsvector/, (random) => `word${random.int(1, 99)}`],
  [/^point/, (random) => `(${random.int(-90, 90)},${random.int(-90, 90)})`],
  [/^xml/, (random) => `<n>${random.int(1, 99)}</n>`],
]

function decimal(random: Random, { length = 8, scale }: Size): string {
  const whole = random.int(0, Math.min(10 ** Math.min(6, Math.max(0, length - scale)), 1000) - 1)
  return scale === 0 ? String(whole) : `${whole}.${String(random.int(1, 9)).padStart(scale, '0')}`
}

const WORDS = [
  'amber',
  'birch',
  'cedar',
  'dune',
  'ember',
  'fjord',
  'grove',
  'heron',
  'iris',
  'juniper',
  'kelp',
  'lark',
]

/** A value in the usual format for such a column name, which CHECK constraints often require. */
function text(random: Random, { length = 60 }: Size, name: string): string {
  const word = random.pick(WORDS) ?? ''
  const number = random.int(1, 99_999)
  const value = /e_?mail/.test(name)
    ? `${word}.${number}@example.org`
    : /url|uri|link|website|homepage/.test(name)
      ? `https://example.org/${word}/${number}`
      : /phone|mobile|fax/.test(name)
        ? `+49 30 ${number}`
        : /slug|key|handle|login|user_?name/.test(name)
          ? `${word}-${number}`
          : `${word} ${number}`
  return value.length <= length ? value : short(random, length)
}

function short(random: Random, length: number): string {
  return Array.from({ length }, () => String.fromCharCode(65 + random.int(0, 25))).join('')
}

function date(random: Random): string {
  return `${random.int(2020, 2025)}-${pad(random.int(1, 12))}-${pad(random.int(1, 28))}`
}

function time(random: Random): string {
  return `${pad(random.int(4, 22))}:${pad(random.int(0, 59))}:${pad(random.int(0, 59))}`
}

function pad(number: number): string {
  return String(number).padStart(2, '0')
}

function uuid(random: Random): string {
  const hex = (length: number) => Array.from({ length }, () => random.int(0, 15).toString(16)).join('')
  return `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`
}
