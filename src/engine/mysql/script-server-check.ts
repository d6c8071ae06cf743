import { AfreshError } from '../../errors.ts'
import type { Send } from './mysql-connection.ts'
import { DYNAMIC, readingsOf, TOKEN } from './script-check.ts'

const GLOBAL = String.raw`(?:@@)?(?:global|persist|persist_only)\s*[.\s]\s*[\w.]+\s*:?=`
const SERVER = new RegExp(
  String.raw`^\s*(?:set\s+(?:[\s\S]*,\s*)?${GLOBAL}|(?:reset|purge|shutdown|restart|install|uninstall|clone|kill)\b|` +
    String.raw`(?:create|alter|drop)\s+(?:or\s+replace\s+)?(?:undo\s+)?(?:tablespace|server|logfile|instance|resource)\b|` +
    String.raw`change\s+(?:master|replication)\b|(?:start|stop)\s+(?:all\s+)?(?:slaves?|replica|group_replication)\b)`,
  'i',
)
const PROGRAM = /^\s*(?:create|alter)\b[\s\S]*?\b(?:procedure|function|trigger|event|package)\b/i
/** In the body of a program. What else changes the server takes a right that scripts do not have. */
const SERVER_INSIDE = /\b(?:reset\s+(?:master|persist|binary)|purge\s+(?:binary|master)\s+logs)\b/i
const CREATES_ACCOUNT = /^\s*create\s+(?:user|role)\b/i
const CHANGES_ACCOUNT =
  /^\s*(?:(?:create\s+or\s+replace|alter|drop|rename)\s+(?:user|role)\b|set\s+(?:password|default\s+role)\b|revoke\s+all\b(?![\s\S]*\bon\b)|grant\b[\s\S]*\bidentified\b)/i
/** After these words are passwords and plugins. */
const BEFORE_SECRET = /^(?:by|as|with|password)$/i
/** mysqldump writes it on a server with GTIDs. It is about the server, not about the rows of the dump. */
const OF_DUMPED_SERVER = /^\s*set\s+@@global\s*\.\s*gtid_purged\s*=/i

/** Whether a statement of a dump is left out, because it only concerns the server that the dump is for. */
export function isForServer(sql: string): boolean {
  return sql.length < 100_000 && OF_DUMPED_SERVER.test(sql)
}

/** Throws `AfreshError` (`baseline`) for a statement that would change the server instead of the new database. */
export function refuseServerChange(sql: string, position: string): void {
  if (
    !/^\W*(?:\d+\s*)?(?:set|reset|purge|shutdown|restart|install|uninstall|clone|kill|create|alter|drop|change|start|stop)\b/i.test(
      sql.slice(0, 200),
    ) &&
    !sql.startsWith('/*')
  )
    return
  if (!readingsOf(sql).some(changesServer)) return
  throw new AfreshError(
    'baseline',
    `${position}: the script would change the server, not only the new database.\n  ${shown(sql)}`,
    {
      next: 'Remove the statement. Settings of the server belong in its configuration or in the options of the container.',
    },
  )
}

function changesServer(reading: string): boolean {
  if (SERVER.test(withoutStrings(reading))) return true
  // A program may put its SQL together from strings.
  return PROGRAM.test(reading) && SERVER_INSIDE.test(reading)
}

/** Like `refuseServerChange`, for the text that PREPARE or EXECUTE IMMEDIATE would run. */
export async function refuseDynamicServerChange(send: Send, sql: string, position: string): Promise<void> {
  if (!/^\W*(?:\d+\s*)?(?:prepare|execute)\b/i.test(sql.slice(0, 200))) return
  for (const reading of readingsOf(sql)) {
    const [, text] = DYNAMIC.exec(reading) ?? []
    if (text === undefined) continue
    const [row] = (await send(`SELECT ${text} AS text`)).at(-1)?.rows ?? []
    refuseServerChange(String(row?.text ?? ''), position)
  }
}

/** The names of the accounts that were there before the script; `undefined` if the user may not read them. */
export async function accountNames(send: Send): Promise<ReadonlySet<string> | undefined> {
  const [result] = await send('SELECT user AS name FROM mysql.user').catch(() => [])
  return result && new Set(result.rows.map(({ name }) => String(name)))
}

/**
 * Whether a statement creates accounts, or changes accounts that the script made. Throws `AfreshError`
 * (`baseline`) if it would change one that was there before.
 */
export async function concernsAccounts(
  sql: string,
  position: string,
  before: () => Promise<ReadonlySet<string> | undefined>,
): Promise<boolean> {
  const readings = sql.length < 100_000 ? readingsOf(sql) : []
  const changes = readings.some((reading) => CHANGES_ACCOUNT.test(reading))
  if (!changes && !readings.some((reading) => CREATES_ACCOUNT.test(reading))) return false
  const known = await before()
  if (!changes) return true
  const tokens = [...sql.matchAll(TOKEN)].map(([token]) => token)
  const existing = tokens.find(
    (token, index) =>
      !BEFORE_SECRET.test(tokens[index - 1] ?? '') && known?.has(token.replaceAll(/^[`'"]|[`'"]$/g, '')),
  )
  if (known !== undefined && existing === undefined) return true
  throw new AfreshError(
    'baseline',
    `${position}: the script would change ${existing === undefined ? 'an account' : `the account ${existing}`} of the server, which it has not made.\n  ${shown(sql)}`,
    {
      next: 'Remove the statement. Create accounts that your tests need outside of the script, or with CREATE USER IF NOT EXISTS.',
    },
  )
}

function withoutStrings(sql: string): string {
  return sql.replaceAll(/'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"|`(?:[^`]|``)*`/g, "''")
}

function shown(sql: string): string {
  return sql
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/(\b(?:by|as|password\s*=)\s*)'[^']*'/gi, "$1'…'")
    .slice(0, 300)
}
