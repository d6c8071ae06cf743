import type { Names } from '../connection.ts'

/** Whose SQL a session of afresh's own sends; a `script` is read as the server's own client would have it read. */
export type SessionKind = Names | 'script'

/** The driver sends UTF-8, whatever the server's `init_connect` has set. */
const UTF8 = 'SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci'

/**
 * A session of afresh's own ends with its connection and not before, whatever the server sets for idle ones: the lease is a
 * lock that it holds. In seconds, the most that Windows takes. Nothing that it writes waits for a COMMIT which a script does not
 * have. MariaDB skips comments of MySQL 8's.
 */
const LASTING = `SET SESSION autocommit = 1, wait_timeout = 2147483, interactive_timeout = 2147483
  /*!80000 , max_execution_time = 0 */
  /*M!100300 , idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0, idle_write_transaction_timeout = 0,
  max_statement_time = 0 */`

/** What is asked for comes whole, what is written is written, and COMMIT does no more than that. */
const EXACT = `SET SESSION sql_safe_updates = 0, sql_select_limit = 18446744073709551615, sql_big_selects = 1,
  sql_auto_is_null = 0, group_concat_max_len = 1048576, completion_type = 'NO_CHAIN', foreign_key_checks = 1,
  auto_increment_increment = 1, auto_increment_offset = 1;
  SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE`

/** Quotes, backslashes and operators mean in afresh's SQL what they do where no mode is set; what a column does not take is an error. */
const OWN_SQL = `SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00'`

/** One message that gives a session of afresh's own its settings. */
export function ownSettingsSql(kind: SessionKind): string {
  const exact = kind === 'script' ? [] : [EXACT]
  const own = kind === 'server' ? [OWN_SQL] : []
  return [LASTING, UTF8, ...exact, ...own].join('; ')
}
