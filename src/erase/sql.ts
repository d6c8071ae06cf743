import { boundValue, concatenated, type Sql } from '../engine/sql/fragment.ts'
import { AfreshError } from '../errors.ts'

/**
 * A condition in SQL. Its values are bound, never written into the text:
 *
 *     sql`created_at < ${date} AND status = ${'draft'}`
 *
 * Only this function creates one: an object from elsewhere, such as parsed JSON, is never treated as SQL.
 */
export function sql(texts: TemplateStringsArray, ...values: readonly unknown[]): SqlFragment {
  return new SqlFragment(concatenated([...texts].flatMap((text, index) => [text, ...asPart(values, index)])))
}

/** Your own text as SQL, for what cannot be bound, such as a name. Never pass text from others. */
sql.raw = (text: string): SqlFragment => new SqlFragment({ texts: [text], values: [] })

/** Also marks fragments of other copies of this module, which runners load again. JSON has no symbols. */
const BRAND: unique symbol = Symbol.for('afresh.sql') as never

/** A condition in SQL, which only `sql` creates: its values are bound, never written into the text. */
export class SqlFragment implements Sql {
  readonly [BRAND] = true
  readonly texts: readonly string[]
  readonly values: readonly unknown[]

  constructor({ texts, values }: Sql) {
    this.texts = texts
    this.values = values
  }
}

export function isFragment(value: unknown): value is SqlFragment {
  return typeof value === 'object' && value !== null && BRAND in value
}

function asPart(values: readonly unknown[], index: number): Sql[] {
  if (index >= values.length) return []
  const value = values[index]
  return [isFragment(value) ? value : boundValue(value)]
}

/**
 * Throws `AfreshError` (`usage`) for SQL that is not one expression: afresh puts it in brackets, which it
 * must not close. Only the server knows its own quotes and comments: it rejects what is in doubt.
 */
export function asCondition(fragment: SqlFragment): Sql {
  const bare = fragment.texts.join('0').replaceAll(QUOTED, "''")
  if (bare.trim() === '') throw notOne('it is empty')
  if (bare.includes(';')) throw notOne('there is a semicolon in it')
  let depth = 0
  for (const [bracket] of bare.matchAll(/[()]/g)) {
    depth += bracket === '(' ? 1 : -1
    if (depth < 0) break
  }
  if (depth !== 0) throw notOne('its brackets do not match')
  const mayEndInComment = /--|#/.test(fragment.texts.join(''))
  return concatenated(['(', fragment, mayEndInComment ? '\n)' : ')'])
}

const QUOTED =
  /'(?:[^'\\]|''|\\[\s\S])*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\$(\w*)\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\//g

function notOne(why: string): AfreshError {
  return new AfreshError('usage', `The condition in SQL is not one expression: ${why}.`, {
    next: 'Write only the condition after WHERE.',
  })
}
