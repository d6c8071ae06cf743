import type { Names } from '../connection.ts'

/** Whose SQL a session of afresh sends. The server reads a `script` as if its own client sent it. */
export type SessionKind = Names | 'script'

/** The driver sends UTF-8; the server's `init_connect` may have set another character set. */
const UTF8 = 'SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci'

/**
 * A session of afresh lasts as long as its connection, whatever the server's idle timeouts are: it holds the
 * lease as a lock. In seconds, the maximum on Windows. With autocommit, a script needs no COMMIT. A
 * trigger is stored with the quotes of the session. MariaDB skips comments for MySQL 8.
 */
const LASTING = `SET SESSION autocommit = 1, wait_timeout = 2147483, interactive_timeout = 2147483,
  sql_quote_show_create = 1
  /*!80000 , max_execution_time = 0 */
  /*M!100300 , idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0, idle_write_transaction_timeout = 0,
  max_statement_time = 0 */`

/** Results are complete, values are written as given, COMMIT only commits, and each wait for a lock ends. */
const EXACT = `SET SESSION lock_wait_timeout = 60, sql_safe_updates = 0, sql_select_limit = 18446744073709551615, sql_big_selects = 1,
  sql_auto_is_null = 0, group_concat_max_len = 1048576, completion_type = 'NO_CHAIN', foreign_key_checks = 1,
  auto_increment_increment = 1, auto_increment_offset = 1;
  SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE`

/** Quotes, backslashes and operators have their default meaning; a value that does not fit is an error. */
const OWN_SQL = `SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00'`

/** One message that sets the settings of a session of afresh. */
export function ownSettingsSql(kind: SessionKind): string {
  const exact = kind === 'script' ? [] : [EXACT]
  const own = kind === 'server' ? [OWN_SQL] : []
  return [LASTING, UTF8, ...exact, ...own].join('; ')
}
