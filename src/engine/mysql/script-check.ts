import { AfreshError } from '../../errors.ts'
import type { Row } from '../connection.ts'
import type { Send } from './mysql-connection.ts'

// Only the markers of executable comments: https://dev.mysql.com/doc/refman/9.7/en/comments.html
const COMMENT = /\/\*M?!\d*|\/\*[\s\S]*?\*\/|\*\/|--(?=\s).*|#.*/g
const EVERY_COMMENT = /\/\*[\s\S]*?\*\/|--(?=\s).*|#.*/g
const MENTIONED = /\b(database|schema|use)\b/i
const OTHER_DATABASE = /^\s*(create|drop|alter)\s+(or\s+replace\s+)?(database|schema)\b/i
/** Without a name, the current database is altered. These words are reserved: none of them is a name. */
const OWN_DATABASE = /^\s*alter\s+(database|schema)\s+((default|character)\s|collate[\s=])/i
const USE = /^\s*use\b/i

/**
 * Throws `AfreshError` (`baseline`) for a script that creates or drops databases, or switches to another one:
 * it would change databases that are not afresh's.
 */
export function refuseOtherDatabase(sql: string, position: string): void {
  if (!MENTIONED.test(sql)) return
  const readings = readingsOf(sql)
  if (readings.some((reading) => USE.test(reading))) {
    throw new AfreshError(
      'baseline',
      `${position}: the script leaves the database that afresh made for it.\n  ${sql}`,
      { next: 'Remove the line; mysqldump writes none without --databases.' },
    )
  }
  if (readings.every((reading) => !OTHER_DATABASE.test(reading) || OWN_DATABASE.test(reading))) return
  throw new AfreshError(
    'baseline',
    `${position}: the script makes or changes a database of its own.\n  ${sql}`,
    {
      next: 'Remove the line (and USE): afresh has made the database that the script is to fill.',
    },
  )
}

/** The statement with the text of executable comments, and without any comment. */
export function readingsOf(sql: string): string[] {
  return [COMMENT, EVERY_COMMENT].map((comment) => sql.replaceAll(comment, ' '))
}

/** Checks a statement before it runs, if the server would let it write to any database. */
export type Check = (sql: string, position: string) => Promise<void>

/** Words before the name of a table or program, where no column can be. */
const BEFORE_NAMES = new Set(
  'table exists view trigger event procedure function sequence to as rename into update from join call references'.split(
    ' ',
  ),
)
export const TOKEN =
  /\/\*M?!\d*|\*\/|\/\*[\s\S]*?\*\/|--(?=\s).*|#.*|'(?:[^'\\]|\\[\s\S])*'|`(?:[^`]|``)*`|"(?:[^"\\]|\\[\s\S])*"|[\p{L}\p{N}_$]+|\S/gu
/** With NO_BACKSLASH_ESCAPES. */
const TOKEN_UNESCAPED =
  /\/\*M?!\d*|\*\/|\/\*[\s\S]*?\*\/|--(?=\s).*|#.*|'[^']*'|`(?:[^`]|``)*`|"[^"]*"|[\p{L}\p{N}_$]+|\S/gu
export const DYNAMIC = /^\s*(?:prepare\s+\S+\s+from|execute\s+immediate)\s+([\s\S]*?)(?:\s+using\s[\s\S]*)?$/i
const DYNAMIC_INSIDE = /\bprepare\s+\S+\s+from\b|\bexecute\s+immediate\b/i
const NEXT =
  'Remove the qualifier, or give the user of the URL the right CREATE USER (with GRANT OPTION): scripts then run as an ' +
  'account of their own, which the server keeps to the new database.'

/**
 * Checks the text of a statement against the server's catalog: rejects names of tables in other databases,
 * and dynamic SQL whose text is unknown.
 */
export async function checkAgainst(send: Send): Promise<Check> {
  const rows = await rowsOf(
    send,
    // Overrides the session's sql_select_limit: the list must be complete.
    `SELECT LOWER(schema_name) AS name FROM information_schema.schemata
     WHERE schema_name NOT IN ('information_schema', 'performance_schema') AND schema_name <> DATABASE()
     LIMIT 18446744073709551615`,
  )
  const others = new Set(rows.map(({ name }) => String(name)))

  const check: Check = async (sql, position) => {
    for (const reading of readingsOf(sql)) {
      const [, text] = DYNAMIC.exec(reading) ?? []
      if (text !== undefined) {
        const [row] = await rowsOf(send, `SELECT ${text} AS text`)
        const inner = String(row?.text ?? '')
        refuseOtherDatabase(inner, position)
        await check(inner, position)
        return
      }
      if (/^\s*create\b/i.test(reading) && DYNAMIC_INSIDE.test(withoutTexts(reading))) {
        throw new AfreshError(
          'baseline',
          `${position}: the script makes a program that runs SQL which it puts together, and this might change another database.\n  ${shown(sql)}`,
          { next: NEXT },
        )
      }
    }
    for (const { database, name, before } of qualified(sql, others)) {
      if (!BEFORE_NAMES.has(before) && !(await isThere(send, database, name))) continue
      throw new AfreshError(
        'baseline',
        `${position}: the script names \`${database}\`.\`${name}\`, which is in another database.\n  ${shown(sql)}`,
        { next: NEXT },
      )
    }
  }
  return check
}

interface Qualified {
  readonly database: string
  readonly name: string
  readonly before: string
}

/** In both readings of backslashes: a script may change the mode. */
function qualified(sql: string, others: ReadonlySet<string>): Qualified[] {
  const ways = sql.includes('\\') ? [TOKEN, TOKEN_UNESCAPED] : [TOKEN]
  return ways.flatMap((token) => qualifiedIn(sql, token, others))
}

function qualifiedIn(sql: string, pattern: RegExp, others: ReadonlySet<string>): Qualified[] {
  const tokens = [...sql.matchAll(pattern)]
    .map(([token]) => token)
    .filter((token) => !/^(\/\*|\*\/|--\s|#)/.test(token))
  return tokens.flatMap((token, index): Qualified[] => {
    const database = nameOf(token).toLowerCase()
    if (!others.has(database) || tokens[index + 1] !== '.' || tokens[index - 1] === '.') return []
    // RENAME may have an equals sign.
    const before = tokens[index - 1] === '=' ? tokens[index - 2] : tokens[index - 1]
    const isRename = before?.toLowerCase() === 'rename'
    const word = tokens[index - 1] === '=' && !isRename ? '=' : before
    return [{ database, name: nameOf(tokens[index + 2] ?? ''), before: (word ?? '').toLowerCase() }]
  })
}

/** A double quote quotes a name under ANSI_QUOTES. */
function nameOf(token: string): string {
  const quote = token.charAt(0)
  if (quote !== '`' && quote !== '"') return token
  return token.slice(1, -1).replaceAll(quote + quote, quote)
}

async function isThere(send: Send, database: string, name: string): Promise<boolean> {
  const binds = [database, name]
  for (const sql of [
    'SELECT 1 AS one FROM information_schema.tables WHERE table_schema = ? AND table_name = ? LIMIT 1',
    'SELECT 1 AS one FROM information_schema.routines WHERE routine_schema = ? AND routine_name = ? LIMIT 1',
  ]) {
    if ((await send(sql, binds))[0]?.rows.length) return true
  }
  return false
}

async function rowsOf(send: Send, sql: string): Promise<Row[]> {
  return (await send(sql)).at(-1)?.rows ?? []
}

function withoutTexts(sql: string): string {
  return sql.replaceAll(/'(?:[^'\\]|\\[\s\S])*'|`(?:[^`]|``)*`/g, "''")
}

function shown(sql: string): string {
  return sql.replace(/\s+/g, ' ').slice(0, 300)
}
