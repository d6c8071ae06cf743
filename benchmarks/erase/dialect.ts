import type { EngineName } from './way.ts'

/** In what the engines differ, where rows are made and put back; nothing here is ever timed. */
export interface Dialect {
  /** A number that is large enough to be multiplied with a number of rows. */
  wide(expression: string): string
  /** Without a remainder. */
  divided(dividend: string, divisor: string): string
  /** Behind CREATE TABLE. */
  readonly tableOptions: string
  /** Whether the engine makes an index for a foreign key by itself. */
  readonly indexesKeys: boolean
  /** For the connection that puts rows back. */
  readonly prepare: string
  empty(tables: readonly string[]): string
  /** After rows were put back, so that nobody pays for what the one before has left. One statement each. */
  settled(tables: readonly string[]): readonly string[]
  /** Ends what a process that was killed has left running; `undefined` where it ends with the process. */
  readonly left: { readonly find: string; end(session: number): string } | undefined
  /** How much of what was deleted is still to be cleaned up by the server; `undefined` where it does so at once. */
  readonly backlog: string | undefined
}

const MYSQL: Dialect = {
  wide: (expression) => expression,
  divided: (dividend, divisor) => `(${dividend}) DIV ${divisor}`,
  tableOptions: ' ENGINE = InnoDB',
  indexesKeys: true,
  // Rows that are copied need not be locked.
  prepare:
    'SET foreign_key_checks = 0, unique_checks = 0; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  empty: (tables) => tables.map((table) => `TRUNCATE TABLE ${table}`).join('; '),
  settled: (tables) => [`ANALYZE TABLE ${tables.join(', ')}`],
  left: {
    find: `SELECT trx_mysql_thread_id AS session FROM information_schema.innodb_trx
      WHERE trx_mysql_thread_id NOT IN (0, CONNECTION_ID())`,
    end: (session) => `KILL ${session}`,
  },
  backlog: `SELECT count AS n FROM information_schema.innodb_metrics WHERE name = 'trx_rseg_history_len'`,
}

export const DIALECTS: Readonly<Record<EngineName, Dialect>> = {
  postgres: {
    wide: (expression) => `CAST(${expression} AS bigint)`,
    divided: (dividend, divisor) => `(${dividend}) / ${divisor}`,
    // Nothing begins by itself while the clock runs.
    tableOptions: ' WITH (autovacuum_enabled = off)',
    indexesKeys: false,
    prepare: 'SET session_replication_role = replica',
    empty: (tables) => `TRUNCATE ${tables.join(', ')}`,
    settled: (tables) => [`VACUUM (ANALYZE) ${tables.join(', ')}`, 'CHECKPOINT'],
    left: {
      find: `SELECT pid AS session FROM pg_stat_activity WHERE datname = current_database()
        AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND backend_type = 'client backend'`,
      end: (session) => `SELECT pg_terminate_backend(${session})`,
    },
    backlog: undefined,
  },
  mysql: {
    ...MYSQL,
    // Else what is cleaned up is counted for a long time.
    prepare: `SET GLOBAL innodb_purge_rseg_truncate_frequency = 1; ${MYSQL.prepare}`,
  },
  mariadb: MYSQL,
  sqlite: {
    wide: (expression) => expression,
    divided: (dividend, divisor) => `(${dividend}) / ${divisor}`,
    tableOptions: '',
    indexesKeys: false,
    prepare: 'PRAGMA foreign_keys = OFF',
    empty: (tables) => tables.map((table) => `DELETE FROM ${table}`).join('; '),
    settled: () => ['ANALYZE'],
    left: undefined,
    backlog: undefined,
  },
}
