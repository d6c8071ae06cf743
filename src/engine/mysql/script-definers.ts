import { AfreshError, messageOf } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import { createStatementsOf, type Definition, definitionFrom } from './definitions.ts'
import { ident, literal } from './quote.ts'
import { batch } from './session.ts'

// Whitespace, comments (with the markers of executable comments), and what may precede DEFINER.
const BLANK = String.raw`(?:\s|\/\*M?!\d*|\*\/|\/\*(?!M?!)[\s\S]*?\*\/|--\s[^\n]*\n|#[^\n]*\n)`
const PART = '(?:`(?:[^`]|``)*`|\'(?:[^\'\\\\]|\'\'|\\\\.)*\'|"(?:[^"\\\\]|""|\\\\.)*"|[\\w$.%-]+)'
const ACCOUNT = `${PART}(?:${BLANK}*@${BLANK}*${PART})?(?:${BLANK}*\\(${BLANK}*\\))?`
const HEAD = `^(?:${BLANK}|\\b(?:create|alter|or|replace|algorithm${BLANK}*=${BLANK}*\\w+|aggregate)\\b)*?`
const DEFINER = new RegExp(`(${HEAD}\\bdefiner${BLANK}*=${BLANK}*)(${ACCOUNT})`, 'i')
const NAMED = new RegExp(
  `^(?:${BLANK}|\\b(?:sql${BLANK}+security${BLANK}+\\w+|aggregate)\\b)*(trigger|procedure|function|event|view|package(?:\\s+body)?)\\b` +
    `(?:${BLANK}|\\bif\\b|\\bnot\\b|\\bexists\\b)*(\`(?:[^\`]|\`\`)+\`|"(?:[^"]|"")+"|[^\\s(\`"]+)`,
  'i',
)
const CURRENT = /^current_(user|role)\b/i

/** A definition with a definer: `sql` has the current user instead, `definer` is the original account. */
export interface Defined {
  readonly sql: string
  readonly of: string
  readonly definer: string
}

/** The definer that a statement gives a view or program; `undefined` if it gives none. */
export function definedBy(sql: string): Defined | undefined {
  const found = DEFINER.exec(sql)
  const [whole = '', before = '', definer = ''] = found ?? []
  if (found === null || CURRENT.test(definer)) return undefined
  const rest = sql.slice(whole.length)
  const [, kind = '', name = ''] = NAMED.exec(rest) ?? []
  return { sql: `${before}CURRENT_USER${rest}`, of: keyOf(kind, unquoted(name)), definer: plain(definer) }
}

function keyOf(kind: string, name: string): string {
  return `${kind.toUpperCase().replace(/\s+/, ' ')} ${name.toLowerCase()}`
}

function unquoted(name: string): string {
  const quote = /^[`"]/.exec(name)?.[0]
  return quote === undefined ? name : name.slice(1, -1).replaceAll(quote + quote, quote)
}

/** Without comments, quoted as in the script. */
function plain(account: string): string {
  return account.replaceAll(new RegExp(`${BLANK}*@${BLANK}*`, 'g'), '@')
}

interface Owned {
  readonly kind: string
  readonly name: string
}

/** In the order in which they can be created; triggers of a table in the order in which they fire. */
const OWNED = (definer: string) => `
SELECT routine_type AS kind, routine_name AS name, 0 AS no, definer = ${definer} AS own, '' AS subject
  FROM information_schema.routines WHERE routine_schema = DATABASE() AND definer = ${definer}
UNION ALL SELECT 'VIEW', table_name, 0, 1, '' FROM information_schema.views
  WHERE table_schema = DATABASE() AND definer = ${definer}
UNION ALL SELECT 'EVENT', event_name, 0, 1, status FROM information_schema.events
  WHERE event_schema = DATABASE() AND definer = ${definer}
UNION ALL SELECT 'TRIGGER', trigger_name, action_order, definer = ${definer}, event_object_table FROM information_schema.triggers
  WHERE trigger_schema = DATABASE()
ORDER BY kind, subject, no, name`

/**
 * Gives views and programs that the scripts' account created to the definers that the scripts named, by
 * default to the current user.
 *
 * @param options `eventsOff`: leaves events disabled, as in every template; an enabled event runs with the
 *   privileges of its definer
 */
export async function reassignDefiners(
  connection: Connection,
  account: string,
  definers: ReadonlyMap<string, string>,
  { eventsOff }: { readonly eventsOff: boolean },
): Promise<void> {
  const found = await connection.query(OWNED(literal(account)))
  const touched = new Set(found.flatMap(({ own, subject }) => (Number(own) === 1 ? [subject] : [])))
  const owned = found.filter(({ subject }) => touched.has(subject))
  if (owned.length === 0) return
  const [row] = await connection.query(
    `SELECT CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', 1)), '@', QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1))) AS own`,
  )
  const shown = await batch(
    connection,
    owned.map(({ kind, name }) => `SHOW CREATE ${kind} ${ident(String(name))}`),
  )
  const all = owned.map(({ kind, name, subject }, index) => {
    const program = { kind: String(kind), name: String(name) }
    const definer = definers.get(keyOf(program.kind, program.name)) ?? String(row?.own)
    return {
      ...program,
      isEnabled: subject === 'ENABLED' && !eventsOff,
      definition: ownedBy(definitionFrom(shown[index]?.rows[0]), account, definer),
    }
  })
  // DROP PACKAGE also drops the body, and the triggers of a table fire in the order of their creation.
  for (const { kind, name } of all.filter(({ kind }) => kind !== 'VIEW' && kind !== 'EVENT')) {
    // Only the grammar of MariaDB's ORACLE mode has the statement. Each definition below sets its own mode.
    if (kind.startsWith('PACKAGE')) await connection.query(`SET sql_mode = 'ORACLE'`)
    await connection.query(`DROP ${kind} IF EXISTS ${ident(name)}`)
  }
  for (const program of all) {
    for (const sql of recreated(program)) await connection.query(sql).catch((cause) => failed(program, cause))
  }
}

function ownedBy(definition: Definition, account: string, definer: string): Definition {
  const [whole = '', before = '', shown = ''] = DEFINER.exec(definition.sql) ?? []
  // The server quotes each part by the mode of the program and, in MariaDB's triggers, by the setting
  // sql_quote_show_create of the session that created them. The account's own name has no quotes.
  if (shown.replaceAll(/[`"']/g, '') !== account) return definition
  return { ...definition, sql: `${before}${definer}${definition.sql.slice(whole.length)}` }
}

function recreated(
  program: Owned & { readonly isEnabled: boolean; readonly definition: Definition },
): string[] {
  const { kind, name, definition } = program
  if (kind === 'VIEW') return [definition.sql.replace(/^CREATE/, 'CREATE OR REPLACE')]
  if (kind !== 'EVENT') return createStatementsOf(definition)
  const [, definer = ''] = new RegExp(`\\bDEFINER=(${ACCOUNT})`).exec(definition.sql) ?? []
  const how = program.isEnabled ? 'ENABLE' : 'DISABLE'
  return createStatementsOf({ ...definition, sql: `ALTER DEFINER=${definer} EVENT ${ident(name)} ${how}` })
}

function failed({ kind, name }: Owned, cause: unknown): void {
  // A view whose tables are gone cannot be created again: it stays as it is.
  if (kind === 'VIEW') return
  throw new AfreshError(
    'baseline',
    `The ${kind.toLowerCase()} "${name}" cannot be given to its definer: ${messageOf(cause)}.`,
    {
      next: 'Leave DEFINER out of the script, or give afresh the URL of a user who may create it so.',
      cause,
    },
  )
}
