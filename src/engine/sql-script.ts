import { splitMysql } from './sql-script/mysql.ts'
import { splitPostgres } from './sql-script/postgres.ts'
import type { Statement } from './sql-script/scanner.ts'
import { splitSqlite } from './sql-script/sqlite.ts'

export type { Statement } from './sql-script/scanner.ts'

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
 * Throws `AfreshError` (`usage`) at a command of the client itself that has no SQL, such as `\connect`.
 */
export function splitScript(text: string, dialect: ScriptDialect): Statement[] {
  return SPLITTERS[dialect](text)
}
