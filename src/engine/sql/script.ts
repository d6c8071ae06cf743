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
 * Cuts a file of SQL into its statements, in order, without terminators, exactly where the database's own
 * client (psql, mysql or mariadb, sqlite3) would. Takes time linear in the length of `text`.
 *
 * Ours, because the splitters on npm are not up to dumps: dbgate-query-splitter, the best of them, cuts
 * inside `BEGIN ATOMIC` bodies, nested comments, `E''` strings and `#` comments with a semicolon.
 *
 * @throws AfreshError `usage` at a command of the client itself that has no SQL, such as `\connect`.
 */
export function splitScript(text: string, dialect: ScriptDialect, options: SplitOptions = {}): Statement[] {
  return SPLITTERS[dialect](text, options)
}
