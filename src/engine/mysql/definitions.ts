import type { Row } from '../connection.ts'
import { literal } from './quote.ts'

/** A stored program (trigger, routine, event) or view as SHOW CREATE gives it, with what its text depends on. */
export interface Definition {
  readonly sql: string
  readonly sqlMode: string | undefined
  readonly charset: string | undefined
  readonly collation: string | undefined
  readonly timeZone: string | undefined
}

/** Reads a row of any SHOW CREATE: the column with the text is named after the kind of object. */
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
  // The server shows no text to a user who may not see it.
  if (sql === undefined) throw new Error(`no definition to be read in ${JSON.stringify(row)}`)
  return {
    // MySQL keeps the semicolon of a trigger that was created in a message of several statements.
    sql: sql.replace(/[;\s]+$/, ''),
    sqlMode: value('sql_mode'),
    charset: value('character_set_client'),
    collation: value('collation_connection'),
    timeZone: value('time_zone'),
  }
}

/** Statements that create it with the meaning that it had: what it depends on is kept with it by the server. */
export function createStatementsOf({ sql, sqlMode, charset, collation, timeZone }: Definition): string[] {
  // The message is UTF-8, so another client character set is claimed only of a text that is the same in both.
  const ascii = /^[\0-\x7f]*$/.test(sql)
  const settings = [
    // Texts that have none of their own are shown as the mode of `session.ts` reads them.
    `sql_mode = ${literal(sqlMode ?? '')}`,
    ...(charset === undefined ? [] : [`character_set_client = ${ascii ? charset : 'utf8mb4'}`]),
    ...(collation === undefined ? [] : [`collation_connection = ${collation}`]),
    ...(timeZone === undefined ? [] : [`time_zone = ${literal(timeZone)}`]),
  ]
  return [`SET ${settings.join(', ')}`, sql]
}
