import { boundValue, concatenated, type Sql } from '../engine/sql/fragment.ts'
import { AfreshError } from '../errors.ts'

/**
 * A condition in SQL whose values are bound, never written into it:
 *
 *     sql`created_at < ${date} AND status = ${'draft'}`
 *
 * Only this function makes one: no object that came from elsewhere, as JSON would, is ever taken for SQL.
 */
export function sql(texts: TemplateStringsArray, ...values: readonly unknown[]): SqlFragment {
  return new SqlFragment(concatenated([...texts].flatMap((text, index) => [text, ...asPart(values, index)])))
}

/** A text of your own as SQL, for what cannot be bound, such as a name. Never give it somebody else's. */
sql.raw = (text: string): SqlFragment => new SqlFragment({ texts: [text], values: [] })

/** Known by it wherever it was made: a runner may load this module again for each test file. No JSON has symbols. */
const BRAND: unique symbol = Symbol.for('afresh.sql') as never

/** A condition in SQL, which only `sql` makes: the values in it are bound, never written into the text. */
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
 * Throws `AfreshError` (`usage`) for SQL that is not one expression: it stands in brackets of ours, and may not close
 * them. Quotes and comments are left to the server, which knows its own: what is in doubt is refused by it.
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
    next: 'Write what would stand after WHERE, and nothing else.',
  })
}
