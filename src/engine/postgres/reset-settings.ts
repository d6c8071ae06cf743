import type { Connection, Row } from '../connection.ts'
import type { Program } from '../resetter.ts'
import { asNotedRole } from './client-role.ts'
import { READABLE, SERVER_NAMES, type Setting, settingsSql } from './settings.ts'

/** The settings of a session: no user triggers, complete and readable rows, and a lock timeout. */
export function resetSettings({ plan, lockTimeoutMs }: Program): Setting[] {
  return [
    ...(plan.mode === 'unchecked' ? [['session_replication_role', 'replica'] as const] : []),
    ['lock_timeout', `${lockTimeoutMs}`],
    ['statement_timeout', '0'],
    ['default_transaction_read_only', 'off'],
    // The search that follows a wait for a transaction must see its commit.
    ['default_transaction_isolation', "'read committed'"],
    ...READABLE,
    SERVER_NAMES,
    ['jit', 'off'],
    // Arrays of unknown length would otherwise cause every statement to be planned again.
    ['plan_cache_mode', 'force_generic_plan'],
    // The next reset flushes what this one wrote, if it has to read it.
    ['synchronous_commit', 'off'],
    ['max_parallel_workers_per_gather', '0'],
    ['client_min_messages', 'warning'],
  ]
}

/**
 * Returns how to run the program. On afresh's own connection the settings stay, because changing the
 * replication role discards every cached plan. On a user's client they are sent in the same message, whose
 * statements form one transaction, and end with it.
 */
export function callerOf(
  connection: Connection,
  settings: readonly Setting[],
): (sql: string) => Promise<Row[]> {
  if (connection.owned) return (sql) => connection.query(sql)
  const local = `SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE; ${asNotedRole(connection)}${settingsSql('SET LOCAL', settings)}`
  return (sql) => connection.query(`${local}; ${NO_OPEN_TRANSACTION}; ${sql}`)
}

/** In a message that starts its own transaction, both timestamps are equal. */
const NO_OPEN_TRANSACTION = `DO $$ BEGIN IF pg_catalog.now() <> pg_catalog.statement_timestamp() THEN
  RAISE active_sql_transaction USING MESSAGE = 'the client is inside a transaction that was never ended'; END IF; END $$`
