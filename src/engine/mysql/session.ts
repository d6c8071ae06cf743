import { messageOf } from '../../errors.ts'
import type { Connection, Row } from '../connection.ts'
import { DENIED } from './errno.ts'
import { flavorOf } from './flavor-of.ts'
import { mysqlConnection, type Result, type Send } from './mysql-connection.ts'

/** A statement of a batch failed; those after it did not run. */
export class BatchError extends Error {
  /** Its place in the batch; `undefined` when the connection was lost. */
  readonly index: number | undefined
  readonly errno: number | undefined

  constructor(index: number | undefined, cause: unknown) {
    super(messageOf(cause), { cause })
    this.index = index
    this.errno = errnoOf(cause)
  }
}

/** The server's number of an error: the driver's names are wrong for some of MariaDB's. */
export function errnoOf(error: unknown): number | undefined {
  return typeof error === 'object' && error !== null && 'errno' in error && typeof error.errno === 'number'
    ? error.errno
    : undefined
}

export interface BatchOptions {
  /** Milliseconds, rounded up to seconds: the servers know no finer unit. Default 10,000. */
  readonly lockTimeoutMs?: number
  /** What else the session has to have set. */
  readonly settings?: readonly Setting[]
}

/** A setting of the session, and what a reset needs it to be, as SQL. */
export interface Setting {
  readonly name: string
  readonly value: string
}

/** The servers know no finer unit. */
export function inSeconds(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1000))
}

/** What a reset needs of its session: no checks, exact rows, an end to waiting after so many seconds. */
export function settingsOf(
  flavor: { readonly settings: Readonly<Record<string, string>> },
  seconds: string,
): Setting[] {
  const values = {
    autocommit: '1',
    foreign_key_checks: '0',
    // Rows are put back as they were: id 0, and dates that a strict mode would not take any more.
    sql_mode: "'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'",
    sql_safe_updates: '0',
    // The server's default may be a limit, too.
    sql_select_limit: '18446744073709551615',
    sql_big_selects: '1',
    sql_quote_show_create: '1',
    time_zone: "'+00:00'",
    innodb_lock_wait_timeout: seconds,
    lock_wait_timeout: seconds,
    // Changed only where a trigger or routine is created as it was first created.
    character_set_client: '@@character_set_client',
    collation_connection: '@@collation_connection',
    ...flavor.settings,
  }
  return Object.entries(values).map(([name, value]) => ({ name, value }))
}

/** Statements that keep what the session has, set what a reset needs, and put back what was kept. */
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
 * Statements in one round trip, under settings of their own, which are put back in the same round trip, and on
 * failure in a second one; but for triggers, see `messagesOf`. Returns the result of each. Throws `BatchError`.
 */
export async function batch(
  connection: Connection,
  statements: readonly string[],
  { lockTimeoutMs = 10_000, settings: more = [] }: BatchOptions = {},
): Promise<Result[]> {
  const client = mysqlConnection(connection)
  const flavor = await flavorOf(client)
  const settings = [...settingsOf(flavor, String(inSeconds(lockTimeoutMs))), ...more]
  const { save, set, restore } = swapped(settings)
  const before = [save, set]
  const numbered = statements.flatMap((sql, index) => [`SET @afresh_at = ${index}`, sql])
  const messages = messagesOf([...before, ...numbered, restore, 'SET @afresh_at = NULL'], flavor.endsMessage)
  return client.pinned(async (send) => {
    try {
      const results: Result[] = []
      for (const message of messages) results.push(...(await send(joined(message))))
      return statements.map((_, index) => resultAt(results, before.length + 2 * index + 1))
    } catch (error) {
      throw new BatchError((await recover(send, restore)).at, error)
    }
  })
}

/** A step of a routine failed, or (without a step) its first look, or one of its arguments. */
export class CallError extends BatchError {
  readonly sql: string | undefined

  constructor({ at: index, sql }: Stop, cause: unknown) {
    super(index, cause)
    this.sql = sql
  }
}

/**
 * Calls a routine, after these statements in the same message, and returns its one row and their results. The routine changes just these settings and keeps `@afresh_at` and
 * `@afresh_sql`. Throws `CallError`.
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
  /** Where the batch or the routine was; `undefined` when it had not begun, or the connection was lost. */
  readonly at: number | undefined
  readonly sql: string | undefined
}

/** Leaves the session as it was and tells how far the batch came; errno 1205 leaves its transaction open. */
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
    return { at: known(row?.at, Number), sql: known(row?.sql, String) }
  } catch {
    // The connection is gone, and its session with it: the first error says why.
    return { at: undefined, sql: undefined }
  }
}

/** What a batch or a routine keeps in the session while it runs. */
export const CLEAR_VARIABLES = `SET group_concat_max_len = CAST(COALESCE(@afresh_long, @@group_concat_max_len) AS UNSIGNED),
  ${['at', 'check', 'is', 'long', 'moved', 'print', 'sql'].map((name) => `@afresh_${name} = NULL`).join(', ')}`

/** MariaDB cuts what JSON_ARRAYAGG gives at this length, into JSON that is as good as whole. `CLEAR_VARIABLES` undoes it. */
export const WHOLE_LISTS = 'SET @afresh_long = @@group_concat_max_len, group_concat_max_len = 268435456'

/** A trigger whose text would gain the semicolon that follows it has to be the last statement of its message. */
function messagesOf(statements: readonly string[], endsMessage: RegExp | undefined): string[][] {
  const messages: string[][] = [[]]
  for (const sql of statements) {
    messages.at(-1)?.push(sql)
    if (endsMessage?.test(sql)) messages.push([])
  }
  return messages
}

/** A statement may end in a line comment. */
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
 * Sets, for good, what replaying definitions needs and the session does not have yet. A user who may not
 * does without: the few definitions that need it are then refused by the server with its reason.
 */
export async function takeDefinitions(connection: Connection): Promise<void> {
  const { definitionSettings } = await flavorOf(connection)
  const names = Object.keys(definitionSettings)
  const [now] = await connection.query(`SELECT ${names.map((name) => `@@${name} AS ${name}`).join(', ')}`)
  for (const name of names.filter((setting) => String(now?.[setting]) !== definitionSettings[setting])) {
    try {
      await connection.query(`SET ${name} = ${definitionSettings[name]}`)
    } catch (error) {
      if (errnoOf(error) !== DENIED) throw error
    }
  }
}
