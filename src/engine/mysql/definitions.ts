import type { Row } from '../connection.ts'
import { literal } from './quote.ts'

/** A stored program (trigger, routine, event) or view from SHOW CREATE, and the settings of its text. */
export interface Definition {
  readonly sql: string
  readonly sqlMode: string | undefined
  readonly charset: string | undefined
  readonly collation: string | undefined
  readonly timeZone: string | undefined
}

/** Reads a row of any SHOW CREATE: the name of the column with the text depends on the kind of object. */
export function definitionFrom(row: Row | undefined): Definition {
  const value = (...names: string[]) => {
    const name = Object.keys(row ?? {}).find((key) => names.includes(key.toLowerCase()))
    const found = name === undefined ? undefined : row?.[name]
    return typeof found === 'string' ? found : undefined
  }
  const sql = value(
    'sql original statement',
    'create table',
    'create view',
    'create procedure',
    'create function',
    'create event',
    'create package',
    'create package body',
  )
  // The server shows no text to a user without the privilege.
  if (sql === undefined) throw new Error(`no definition to be read in ${JSON.stringify(row)}`)
  return {
    // MySQL stores the semicolon of a trigger that was created in a message of several statements.
    sql: sql.replace(/[;\s]+$/, ''),
    sqlMode: value('sql_mode'),
    charset: value('character_set_client'),
    collation: value('collation_connection'),
    timeZone: value('time_zone'),
  }
}

/** Statements that create the object with its original meaning: the server stores these settings with it. */
export function createStatementsOf({ sql, sqlMode, charset, collation, timeZone }: Definition): string[] {
  // The message is UTF-8, so another client character set is correct only for ASCII text.
  const ascii = /^[\0-\x7f]*$/.test(sql)
  const settings = [
    // The server shows definitions without a mode of their own in the syntax of the mode in `session.ts`.
    `sql_mode = ${literal(sqlMode ?? '')}`,
    ...(charset === undefined ? [] : [`character_set_client = ${ascii ? charset : 'utf8mb4'}`]),
    ...(collation === undefined ? [] : [`collation_connection = ${collation}`]),
    ...(timeZone === undefined ? [] : [`time_zone = ${literal(timeZone)}`]),
  ]
  return [`SET ${settings.join(', ')}`, sql]
}
