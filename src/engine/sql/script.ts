/**
 * In: the text of a script.
 * Out: its statements, as a client of that engine splits them.
 * Called by the engines, for migrations and fixtures.
 */
import type { SplitOptions, Statement } from './scanner.ts'
import { splitMysql } from './split-mysql.ts'
import { splitPostgres } from './split-postgres.ts'
import { splitSqlite } from './split-sqlite.ts'

export type { SplitOptions, Statement } from './scanner.ts'

const SPLITTERS = {
  postgres: splitPostgres,
  mysql: splitMysql,
  sqlite: splitSqlite,
}

export type ScriptDialect = keyof typeof SPLITTERS

/**
 * Splits an SQL file into its statements, in order, without terminators, exactly as the database's own client
 * (psql, mysql or mariadb, sqlite3) does. Runs in time linear in the length of `text`.
 *
 * Implemented here because the splitters on npm fail on dumps: dbgate-query-splitter, the best of them,
 * splits inside `BEGIN ATOMIC` bodies, nested comments, `E''` strings and `#` comments with a semicolon.
 *
 * @throws AfreshError `usage` for a command of the client that is not SQL, such as `\connect`
 */
export function splitScript(text: string, dialect: ScriptDialect, options: SplitOptions = {}): Statement[] {
  return SPLITTERS[dialect](text, options)
}
