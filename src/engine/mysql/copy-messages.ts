/**
 * In: the statements of a copy. Out: messages, each for one round trip of one of several sessions. Pure.
 * Called by `clone.ts`.
 */
import type { RowsCopy } from './copy-source.ts'

/** CREATE TABLE, and what follows it in the same message. */
export interface TableStatements {
  readonly create: string
  readonly rows: RowsCopy | undefined
}

/** Well below the smallest `max_allowed_packet` that is a default: 16 MB on MariaDB. */
const MESSAGE_CHARACTERS = 1_000_000
/** The session that finishes first takes the work that is left. */
const MESSAGES_PER_SESSION = 2
/** Tables with more are filled by messages of their own. */
const LARGE_BYTES = 1_000_000

/**
 * Neighbours in the list depend on each other: they are in few, long messages, because sessions that create a
 * parent and its child wait for each other.
 */
export function tableMessages(tables: readonly TableStatements[], sessions: number): string[][] {
  const most = sessions === 1 ? tables.length : Math.ceil(tables.length / (sessions * MESSAGES_PER_SESSION))
  const messages: { statements: string[]; tables: number; characters: number }[] = []
  for (const { create, rows } of tables) {
    const statements = rows === undefined || isLarge(rows) ? [create] : [create, rows.sql]
    const characters = statements.reduce((sum, { length }) => sum + length, 0)
    const last = messages.at(-1)
    if (last === undefined || last.tables >= most || last.characters + characters > MESSAGE_CHARACTERS) {
      messages.push({ statements, tables: 1, characters })
    } else {
      last.statements.push(...statements)
      last.tables++
      last.characters += characters
    }
  }
  return messages.map(({ statements }) => statements)
}

/** The rows of large tables, the largest first, once all tables exist. */
export function largeRowsMessages(tables: readonly TableStatements[]): string[][] {
  return tables
    .flatMap(({ rows }) => (rows !== undefined && isLarge(rows) ? [rows] : []))
    .sort((a, b) => b.bytes - a.bytes)
    .map(({ sql }) => [sql])
}

function isLarge({ bytes }: RowsCopy): boolean {
  return bytes > LARGE_BYTES
}
