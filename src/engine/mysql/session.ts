import { messageOf } from '../../errors.ts'
import type { Connection, Row } from '../connection.ts'
import { DENIED } from './errno.ts'
import { flavorOf } from './flavor-of.ts'
import { mysqlConnection, type Result, type Send } from './mysql-connection.ts'

/** A statement of a batch failed; those after it did not run. */
export class BatchError extends Error {
  /** Index in the batch; `undefined` if the connection was lost. */
  readonly index: number | undefined
  readonly errno: number | undefined

  constructor(index: number | undefined, cause: unknown) {
    super(messageOf(cause), { cause })
    this.index = index
    this.errno = errnoOf(cause)
  }
}

/** The server's error number: the driver's error names are wrong for some of MariaDB's. */
export function errnoOf(error: unknown): number | undefined {
  return typeof error === 'object' && error !== null && 'errno' in error && typeof error.errno === 'number'
    ? error.errno
    : undefined
}

export interface BatchOptions {
  /** Milliseconds, rounded up to seconds, the smallest unit of the servers. Default 10,000. */
  readonly lockTimeoutMs?: number
  /** Additional settings of the session. */
  readonly settings?: readonly Setting[]
  /** Statements that run first and last in the message, under the settings of the session. */
  readonly around?: { readonly first: string; readonly last: string } | undefined
}

/** A session setting, and the value that a reset needs, as SQL. */
export interface Setting {
  readonly name: string
  readonly value: string
}

export function inSeconds(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1000))
}

/** Session settings of a reset: no checks, exact rows, a lock timeout of `seconds`. */
export function settingsOf(
  flavor: { readonly settings: Readonly<Record<string, string>> },
  seconds: string,
): Setting[] {
  const values = {
    autocommit: '1',
    foreign_key_checks: '0',
    // Rows are restored unchanged: id 0, and dates that a strict mode rejects.
    sql_mode: "'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'",
    sql_safe_updates: '0',
    // The server's default may be a limit as well.
    sql_select_limit: '18446744073709551615',
    sql_big_selects: '1',
    sql_quote_show_create: '1',
    time_zone: "'+00:00'",
    innodb_lock_wait_timeout: seconds,
    lock_wait_timeout: seconds,
    // Listed to be restored: creating a trigger or routine with its original settings changes them.
    character_set_client: '@@character_set_client',
    collation_connection: '@@collation_connection',
    ...flavor.settings,
  }
  return Object.entries(values).map(([name, value]) => ({ name, value }))
}

/** Statements that save the settings of the session, set those of a reset, and restore the saved ones. */
export function swapped(settings: readonly Setting[]): {
  readonly save: string
  readonly set: string
  readonly restore: string
} {
  const saved = settings.map(({ name }, index) => ({ name, kept: `@afresh_${index}` }))
  return {
    save: `SET ${saved.map(({ name, kept }) => `${kept} = @@${name}`).join(', ')}`,
    set: `SET ${settings.map(({ name, value }) => `${name} = ${value}`).join(', ')}`,
    restore: `SET ${[...saved.map(({ name, kept }) => `${name} = ${kept}`), ...saved.map(({ kept }) => `${kept} = NULL`)].join(', ')}`,
  }
}

/**
 * Runs statements in one round trip, under settings of their own, which are restored in the same round trip,
 * or after a failure in a second one; triggers may require more messages, see `messagesOf`. Returns the
 * result of each statement. Throws `BatchError`.
 */
export async function batch(
  connection: Connection,
  statements: readonly string[],
  { lockTimeoutMs = 10_000, settings: more = [], around }: BatchOptions = {},
): Promise<Result[]> {
  const client = mysqlConnection(connection)
  const flavor = await flavorOf(client)
  const settings = [...settingsOf(flavor, String(inSeconds(lockTimeoutMs))), ...more]
  const { save, set, restore } = swapped(settings)
  // `around` encloses all others: a SET that was not announced would count as another session's.
  const before = [...(around === undefined ? [] : [around.first]), save, set]
  const numbered = statements.flatMap((sql, index) => [`SET @afresh_at = ${index}`, sql])
  const after = [restore, 'SET @afresh_at = NULL', ...(around === undefined ? [] : [around.last])]
  const messages = messagesOf([...before, ...numbered, ...after], flavor.endsMessage)
  return client.pinned(async (send) => {
    try {
      const results: Result[] = []
      for (const message of messages) results.push(...(await send(joined(message))))
      return statements.map((_, index) => resultAt(results, before.length + 2 * index + 1))
    } catch (error) {
      throw new BatchError((await recover(send, restore)).position, error)
    }
  })
}

/** Number of SET statements that `batch` sends itself. */
export function settingsSentBy(statements: readonly string[]): number {
  return statements.length + 4
}

/** Sends queries in one round trip; in a session of afresh under its own settings, which cost nothing. */
export async function queryTogether(
  connection: Connection,
  statements: readonly string[],
): Promise<readonly Result[]> {
  if (!connection.owned) return batch(connection, statements)
  return mysqlConnection(connection).pinned(async (send) => {
    const results = await send(joined(statements))
    return statements.map((_, index) => resultAt(results, index))
  })
}

/** A step of a routine failed; without a step, its detection or one of its arguments. */
export class CallError extends BatchError {
  readonly sql: string | undefined

  constructor({ position: index, sql }: Stop, cause: unknown) {
    super(index, cause)
    this.sql = sql
  }
}

/**
 * Calls a routine, after the statements `before` in the same message, and returns its only row and their
 * results. The routine changes exactly these settings, and sets `@afresh_at` and `@afresh_sql`. Throws
 * `CallError`.
 */
export async function callRoutine(
  connection: Connection,
  call: string,
  settings: readonly Setting[],
  before: readonly string[] = [],
): Promise<{ readonly row: Row; readonly before: readonly Result[] }> {
  return mysqlConnection(connection).pinned(async (send) => {
    try {
      const results = await send(joined([...before, call]))
      const row = resultAt(results, before.length).rows[0]
      if (row === undefined) throw new Error('the routine returned nothing')
      return { row, before: results.slice(0, before.length) }
    } catch (error) {
      throw new CallError(await recover(send, swapped(settings).restore), error)
    }
  })
}

interface Stop {
  /** Position in the batch or routine; `undefined` if it had not started, or the connection was lost. */
  readonly position: number | undefined
  readonly sql: string | undefined
}

/** Restores the session and returns how far the batch got; errno 1205 leaves its transaction open. */
async function recover(send: Send, restore: string): Promise<Stop> {
  try {
    const state = await send(
      'SELECT @afresh_at AS at, @afresh_sql AS `sql`, @afresh_0 IS NOT NULL AS changed',
    )
    const row = resultAt(state, 0).rows[0]
    if (Number(row?.changed) === 1) await send(joined(['UNLOCK TABLES', 'ROLLBACK', restore]))
    await send(CLEAR_VARIABLES)
    const known = <T>(value: unknown, read: (value: unknown) => T) =>
      value === null || value === undefined ? undefined : read(value)
    return { position: known(row?.at, Number), sql: known(row?.sql, String) }
  } catch {
    // The connection is lost, and its session with it: the first error has the reason.
    return { position: undefined, sql: undefined }
  }
}

/** Clears the session variables that a batch or a routine uses while it runs. */
export const CLEAR_VARIABLES = `SET group_concat_max_len = CAST(COALESCE(@afresh_long, @@group_concat_max_len) AS UNSIGNED),
  lock_wait_timeout = CAST(COALESCE(@afresh_wait, @@lock_wait_timeout) AS UNSIGNED),
  ${['at', 'check', 'is', 'long', 'moved', 'print', 'sql', 'wait'].map((name) => `@afresh_${name} = NULL`).join(', ')}`

/** MariaDB cuts JSON_ARRAYAGG at this length, to JSON that looks complete. `CLEAR_VARIABLES` restores it. */
export const WHOLE_LISTS = 'SET @afresh_long = @@group_concat_max_len, group_concat_max_len = 268435456'

/** A routine also writes to its own tables, under FLUSH TABLES WITH READ LOCK. `CLEAR_VARIABLES` restores it. */
export const BOUNDED_WAITS = 'SET @afresh_wait = @@lock_wait_timeout, lock_wait_timeout = seconds'

/** Ends a message after each trigger whose text would include the semicolon that follows it. */
function messagesOf(statements: readonly string[], endsMessage: RegExp | undefined): string[][] {
  const messages: string[][] = [[]]
  for (const sql of statements) {
    messages.at(-1)?.push(sql)
    if (endsMessage?.test(sql)) messages.push([])
  }
  return messages
}

/** The newline ends a statement's final line comment. */
function joined(statements: readonly string[]): string {
  return statements.join('\n;\n')
}

function resultAt(results: readonly Result[], index: number): Result {
  const result = results[index]
  if (result === undefined)
    throw new Error(`the server sent ${results.length} results, no. ${index} is missing`)
  return result
}

/**
 * Sets, for the rest of the session, the settings for replaying definitions that it does not have yet. A user
 * without the privilege continues without: the server then rejects the few definitions that need them, with
 * its reason.
 */
export async function takeDefinitions(connection: Connection): Promise<void> {
  const { definitionSettings } = await flavorOf(connection)
  const names = Object.keys(definitionSettings)
  try {
    await connection.query(`SET ${names.map((name) => `${name} = ${definitionSettings[name]}`).join(', ')}`)
    return
  } catch (error) {
    if (errnoOf(error) !== DENIED) throw error
  }
  const [now] = await connection.query(`SELECT ${names.map((name) => `@@${name} AS ${name}`).join(', ')}`)
  for (const name of names.filter((setting) => String(now?.[setting]) !== definitionSettings[setting])) {
    try {
      await connection.query(`SET ${name} = ${definitionSettings[name]}`)
    } catch (error) {
      if (errnoOf(error) !== DENIED) throw error
    }
  }
}
