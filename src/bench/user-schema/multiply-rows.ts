import type { ColumnFacts, RowDialect } from '../../engine/row-dialect.ts'
import type { Column, ForeignKey, Table } from '../../schema/schema.ts'

/** What is known about a table whose rows are multiplied. */
export interface SubjectTable {
  readonly table: Table
  readonly facts: readonly ColumnFacts[]
  /** The columns of each unique index. */
  readonly uniques: readonly (readonly string[])[]
  /** The table's foreign keys, including those to itself. */
  readonly foreignKeys: readonly ForeignKey[]
  /** Columns that reference rows that will have been deleted; empty with checks off. */
  readonly dangling: ReadonlySet<string>
  /** Whether foreign keys are off, so that referencing columns may contain anything. */
  readonly isUnchecked: boolean
}

/** Rows that the server keeps in a temporary table. */
export interface Seed {
  /** The name of that table. */
  readonly name: string
  readonly rows: number
}

/** How a column gets a different value in each row. */
type Change = 'number' | 'uuid' | 'text' | 'bytes' | 'null'
export type Changes = ReadonlyMap<string, Change>

/** How text is made unique: by a number after it, in place of its beginning, or before it. */
const FORMS = ['behind', 'over', 'before'] as const

/** Number of different attempts. */
export const ATTEMPTS = FORMS.length

/**
 * The columns that get a different value in each row to satisfy unique indexes: one per index. The first
 * attempt uses the most obvious column, later ones others, because checks and partition bounds may reject the
 * first. Pure.
 */
export function changesFor(
  subject: SubjectTable,
  attempt: number,
): { readonly changes: Changes } | { readonly impossible: string } {
  const { table, uniques, dangling } = subject
  const changes = new Map<string, Change>([...dangling].map((name) => [name, 'null']))
  for (const columns of uniques.toSorted((a, b) => a.length - b.length)) {
    if (columns.some((name) => changes.has(name) || isNumberedByServer(table, name))) continue
    const candidates = candidatesAmong(subject, columns)
    const chosen = candidates[Math.min(attempt, candidates.length - 1)]
    if (chosen !== undefined) changes.set(chosen.name, chosen.change)
    else if (!columns.some((name) => columnOf(table, name)?.generated)) {
      return { impossible: `nothing in (${columns.join(', ')}), which is unique, can be counted up` }
    }
  }
  return { changes }
}

/** The columns that can be changed, best first. Columns with checks or references come last. */
function candidatesAmong(
  { table, facts, foreignKeys, isUnchecked }: SubjectTable,
  columns: readonly string[],
): { readonly name: string; readonly change: Change }[] {
  const refers = new Set(foreignKeys.flatMap((key) => key.columns))
  return columns
    .flatMap((name) => {
      const fact = facts.find((fact) => fact.name === name)
      const column = columnOf(table, name)
      if (fact === undefined || column === undefined || column.generated) return []
      const kind = kindOf(fact)
      if (kind !== undefined && (isUnchecked || !refers.has(name))) {
        const rank =
          RANKS.indexOf(kind) + (fact.conditions.length > 0 ? 10 : 0) + (refers.has(name) ? 100 : 0)
        return [{ name, change: kind, rank }]
      }
      return column.nullable ? [{ name, change: 'null' as const, rank: 50 }] : []
    })
    .sort((a, b) => a.rank - b.rank)
}

const RANKS: readonly Change[] = ['number', 'uuid', 'text', 'bytes']

const KINDS: readonly (readonly [RegExp, Change])[] = [
  [/^((tiny|small|medium|big)?int(eger)?|numeric|decimal|real|double|float)\b/, 'number'],
  [/^uuid$/, 'uuid'],
  [/^((national )?(character|char|varchar)|bpchar|name|citext|(tiny|medium|long)?text)\b/, 'text'],
  [/^(bytea|(var)?binary|(tiny|medium|long)?blob)\b/, 'bytes'],
]

function kindOf({ type, labels }: ColumnFacts): Change | undefined {
  if (labels.length > 0 || type.endsWith('[]')) return undefined
  return KINDS.find(([pattern]) => pattern.test(type))?.[1]
}

/**
 * Creates the temporary table of the seed: row number, columns, and the minimum of each numeric column. In
 * two steps, because MariaDB would scan all rows for each minimum, and MySQL gives columns of a derived table
 * defaults that it rejects.
 */
export function keepSeed(
  subject: SubjectTable,
  name: string,
  most: number,
  { ident, qualified }: RowDialect,
): string {
  const columns = writableColumns(subject.table)
  const aliased = columns.map((column, index) => `${ident(column.name)} AS c${index}`)
  const counted = columns.flatMap((column, index) => {
    const fact = subject.facts.find((fact) => fact.name === column.name)
    return fact !== undefined && kindOf(fact) === 'number' ? [`MIN(c${index}) OVER () AS least${index}`] : []
  })
  const all = columns.map((_, index) => `c${index}`)
  const numbered = ['ROW_NUMBER() OVER () - 1 AS row_index', ...all, ...counted]
  return [
    `CREATE TEMPORARY TABLE ${name}_few AS SELECT ${['1 AS placeholder', ...aliased].join(', ')} FROM ${qualified(subject.table)} LIMIT ${most}`,
    `CREATE TEMPORARY TABLE ${name} AS SELECT ${numbered.join(', ')} FROM ${name}_few`,
    `DROP TABLE ${name}_few`,
  ].join(';\n')
}

/** Fills the table with this many rows, which the server makes from the seed. Pure. */
export function insertRows(
  { table, facts }: SubjectTable,
  seed: Seed,
  { changes, attempt }: { readonly changes: Changes; readonly attempt: number },
  rows: number,
  syntax: RowDialect,
): string {
  const columns = writableColumns(table)
  const number = `(copies.n * ${seed.rows} + seed.row_index)`
  const digits = String(Math.max(0, rows - 1)).length
  const values = columns.map((column, index) => {
    const change = changes.get(column.name)
    if (change === undefined) return `seed.c${index}`
    if (change === 'null') return 'NULL'
    const size = sizeOf(facts.find(({ name }) => name === column.name))
    const changed = {
      number: () => `(COALESCE(seed.least${index}, 1) + ${number})`,
      uuid: () => `RPAD(${scattered(number, syntax)}, 32, '0')`,
      bytes: () => truncated(scattered(number, syntax), size),
      text: () => numbered(syntax.asText(`seed.c${index}`), syntax.asText(number), { digits, size, attempt }),
    }[change]()
    return syntax.asColumn(changed, column)
  })
  const names = columns.map(({ name }) => syntax.ident(name)).join(', ')
  const copies = numbersTo(Math.ceil(rows / Math.max(1, seed.rows)))
  return (
    `INSERT INTO ${syntax.qualified(table)} ${names === '' ? '' : `(${names}) `}SELECT ${values.join(', ')} ` +
    `FROM ${seed.name} AS seed CROSS JOIN ${copies} AS copies WHERE ${number} < ${rows}`
  )
}

/** Ten digits in scattered order. Each value is unique, because the factor and 2^32 are coprime. */
function scattered(number: string, { asText }: RowDialect): string {
  return `LPAD(${asText(`(${number} * 2654435761 % 4294967296)`)}, 10, '0')`
}

function numbered(
  text: string,
  number: string,
  { digits, size, attempt }: { digits: number; size: number | undefined; attempt: number },
): string {
  const padded = `LPAD(${number}, ${digits}, '0')`
  switch (FORMS[attempt]) {
    case 'over':
      return `CONCAT(${padded}, SUBSTRING(${text}, ${digits + 1}))`
    case 'before':
      return truncated(`CONCAT(${padded}, ${text})`, size)
    default:
      return `CONCAT(${truncated(text, size === undefined ? undefined : Math.max(0, size - digits))}, ${padded})`
  }
}

function truncated(text: string, size: number | undefined): string {
  return size === undefined ? text : `LEFT(${text}, ${size})`
}

/** The number in parentheses after a type: `varchar(20)`. */
function sizeOf(fact: ColumnFacts | undefined): number | undefined {
  const [, size] = /\((\d+)\)/.exec(fact?.type ?? '') ?? []
  return size === undefined ? undefined : Number(size)
}

const DIGITS = `(SELECT 0 AS d ${[1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => `UNION ALL SELECT ${digit}`).join(' ')})`

/** A table expression whose column `n` has the numbers from 0 to count - 1, or 0 alone. */
function numbersTo(count: number): string {
  const digitPositions = Array.from({ length: String(Math.max(1, count - 1)).length }, (_, digit) => digit)
  const number = digitPositions.map((digit) => `${10 ** digit} * d${digit}.d`).join(' + ')
  const digits = digitPositions.map((digit) => `${DIGITS} AS d${digit}`).join(', ')
  return `(SELECT ${number} AS n FROM ${digits} WHERE ${number} < ${Math.max(1, count)})`
}

/** The server fills the other columns. */
function writableColumns({ columns }: Table): readonly Column[] {
  return columns.filter(({ generated, identity }) => !generated && identity !== 'always')
}

function isNumberedByServer(table: Table, name: string): boolean {
  return columnOf(table, name)?.identity === 'always'
}

function columnOf({ columns }: Table, name: string): Column | undefined {
  return columns.find((column) => column.name === name)
}
