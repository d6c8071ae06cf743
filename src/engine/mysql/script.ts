import { AfreshError, messageOf } from '../../errors.ts'
import { type Statement, splitScript } from '../sql/script.ts'
import {
  DENIED,
  DENIED_COLUMN,
  DENIED_DATABASE,
  DENIED_ROUTINE,
  DENIED_TABLE,
  INCORRECT_STRING,
  NEEDS_SUPER,
  NO_SUCH_GRANT,
} from './errno.ts'
import type { Send } from './mysql-connection.ts'
import type { ElevatedRight } from './script-account.ts'
import { type Check, refuseOtherDatabase } from './script-check.ts'
import { type Defined, definedBy } from './script-definers.ts'
import {
  concernsAccounts,
  isForServer,
  refuseDynamicServerChange,
  refuseServerChange,
} from './script-server-check.ts'
import { errnoOf } from './session.ts'

/** INSERTs per message: a dump has thousands, and each round trip costs more than most of them. */
const TOGETHER = 200
const BYTES_TOGETHER = 1024 * 1024

export interface ScriptSession {
  readonly send: Send
  /** Whether each character is a byte of a file that is not UTF-8. */
  readonly bytes: boolean
  /** Set if nothing else restricts the script to its database. */
  readonly check: Check | undefined
  /** Set if the script runs as an account of its own. */
  readonly confined:
    | {
        /** Called after a view or program was created for a definer other than this account. */
        made(defined: Defined): void
        /** Runs a statement in a session that has this right; `false` without. */
        elevated(sql: string, right: ElevatedRight): Promise<boolean>
      }
    | undefined
  /** The names of the accounts of the server that no script made. */
  accounts(): Promise<ReadonlySet<string> | undefined>
}

/** Runs a file of SQL. Throws `AfreshError` (`baseline`) with file, line and statement. */
export async function runScript(session: ScriptSession, sql: string, label: string): Promise<void> {
  const { send, bytes } = session
  const all = splitScript(sql, 'mysql', { backslashEscapes: await escapes(send, sql), bytes })
  const statements = all.filter((statement) => !isForServer(statement.sql))
  for (const { sql: text, line } of statements) {
    refuseOtherDatabase(legible(text, bytes), `${label}:${line}`)
    refuseServerChange(text, `${label}:${line}`)
  }
  const joins = bytes ? (statement: Statement) => isInsert(statement) && !hasBytes(statement) : isInsert
  for (const group of groups(statements, joins)) await runGroup(session, group, label)
}

/** Whether backslashes escape, which the server's own client learns from the server as well. */
async function escapes(send: Send, sql: string): Promise<boolean> {
  if (!sql.includes('\\')) return true
  const [result] = await send(`SELECT FIND_IN_SET('NO_BACKSLASH_ESCAPES', @@sql_mode) AS forbidden`)
  return Number(result?.rows[0]?.forbidden) === 0
}

/**
 * Only INSERTs go together: the server stores a definition's text including the semicolon after it, and other
 * statements may change how the next one is parsed.
 */
function groups(statements: readonly Statement[], mayJoin: (statement: Statement) => boolean): Statement[][] {
  const found: Statement[][] = []
  let bytes = 0
  for (const statement of statements) {
    const last = found.at(-1)
    const joins =
      last !== undefined &&
      last.length < TOGETHER &&
      bytes + statement.sql.length < BYTES_TOGETHER &&
      mayJoin(statement) &&
      last[0] !== undefined &&
      mayJoin(last[0])
    if (joins) last.push(statement)
    else found.push([statement])
    bytes = joins ? bytes + statement.sql.length : statement.sql.length
  }
  return found
}

function isInsert({ sql }: Statement): boolean {
  return /^(insert|replace)\b/i.test(sql)
}

/** A statement for messages, and the names in it: those of a dump are UTF-8 even if its rows are not. */
function legible(sql: string, bytes: boolean): string {
  if (!bytes || !/[\x80-\xff]/.test(sql)) return sql
  const text = Buffer.from(sql, 'latin1').toString()
  return text.includes('\ufffd') ? sql : text
}

function hasBytes({ sql }: Statement): boolean {
  return /[\x80-\xff]/.test(sql)
}

async function runGroup(session: ScriptSession, group: readonly Statement[], label: string): Promise<void> {
  const { send, check, confined, bytes } = session
  if (check !== undefined)
    for (const { sql, line } of group) await check(legible(sql, bytes), `${label}:${line}`)
  const [first] = group
  if (first !== undefined) await refuseDynamicServerChange(send, first.sql, `${label}:${first.line}`)
  if (group.length === 1) return runOne(session, first, label)
  try {
    await send(group.map(({ sql }, index) => `SET @afresh_at = ${index};\n${sql}`).join('\n;\n'))
  } catch (cause) {
    const index = (await send('SELECT @afresh_at AS at').catch(() => []))[0]?.rows[0]?.at
    throw failure(group[Number(index ?? 0)], label, { cause, isConfined: confined !== undefined })
  }
}

async function runOne(
  { send, confined, bytes, accounts }: ScriptSession,
  statement: Statement | undefined,
  label: string,
): Promise<void> {
  if (statement === undefined) return
  const defined = confined === undefined ? undefined : definedBy(statement.sql)
  const sql = defined?.sql ?? statement.sql
  const ofAccounts = await concernsAccounts(sql, `${label}:${statement.line}`, accounts)
  try {
    if (ofAccounts && (await confined?.elevated(sql, 'CREATE USER'))) return
    await send(sql).catch(async (error) => {
      if (confined === undefined || errnoOf(error) !== NEEDS_SUPER) throw error
      if (!(await confined.elevated(sql, 'SUPER'))) throw error
    })
  } catch (cause) {
    const named = { ...statement, sql: legible(statement.sql, bytes) }
    throw failure(named, label, { cause, isConfined: confined !== undefined })
  }
  if (bytes && hasBytes(statement)) await refuseLoss(send, statement, label)
  if (defined === undefined) return
  confined?.made({
    ...defined,
    of: legible(defined.of, bytes),
    definer: legible(defined.definer, bytes),
  })
}

/** Without a strict mode the server stores a different value, and warns. */
async function refuseLoss(send: Send, statement: Statement, label: string): Promise<void> {
  // The driver cannot decode the texts of some character sets.
  const [count] = (await send('SHOW COUNT(*) WARNINGS'))[0]?.rows ?? []
  if (Number(Object.values(count ?? {})[0] ?? 0) === 0) return
  const warnings = (await send('SHOW WARNINGS'))[0]?.rows ?? []
  const lost = warnings.find(({ Code: code }) => Number(code) === INCORRECT_STRING)
  if (lost === undefined) return
  throw new AfreshError(
    'baseline',
    `${label}:${statement.line}: the file is not UTF-8, and does not say what it is: ${String(lost.Message)}`,
    {
      next: 'Put SET NAMES latin1 (or the encoding that it has) at its top, write binary values by --hex-blob, or convert it by iconv.',
    },
  )
}

const DENIALS: readonly (number | undefined)[] = [
  ...[DENIED, DENIED_COLUMN, DENIED_DATABASE, DENIED_ROUTINE, DENIED_TABLE, NO_SUCH_GRANT],
]

function failure(
  statement: Statement | undefined,
  label: string,
  { cause, isConfined }: { readonly cause: unknown; readonly isConfined: boolean },
): AfreshError {
  if (cause instanceof AfreshError) return cause
  const text = (statement?.sql ?? '').replace(/\s+/g, ' ')
  const shown = text.length > 300 ? `${text.slice(0, 300)} …` : text
  const position = `${label}:${statement?.line ?? 1}`
  if (errnoOf(cause) === NEEDS_SUPER) {
    return new AfreshError('baseline', `${position}: ${messageOf(cause)}\n  ${shown}`, {
      next: 'With the binary log on, programs take SUPER: set log_bin_trust_function_creators = 1 on the server, or use such a user.',
      cause,
    })
  }
  if (isConfined && DENIALS.includes(errnoOf(cause))) {
    return new AfreshError(
      'baseline',
      `${position}: the script would change something outside of the database that afresh made for it: ${messageOf(cause)}\n  ${shown}`,
      {
        next:
          'Remove the name of the other database from the statement. What is for the server and not for one database ' +
          'belongs in a command or function: scripts run as an account that may write to the new database only.',
        cause,
      },
    )
  }
  return new AfreshError('baseline', `${position}: ${messageOf(cause)}\n  ${shown}`, {
    next: 'Correct the script; nothing that ran before this statement is undone.',
    cause,
  })
}
