import type { EngineName } from './method.ts'

/** The SQL to create and restore rows that differs between engines. None of it is timed. */
export interface Dialect {
  /** Casts a number so that it can be multiplied by a number of rows. */
  wide(expression: string): string
  /** Integer division. */
  divided(dividend: string, divisor: string): string
  /** Appended to CREATE TABLE. */
  readonly tableOptions: string
  /** Whether the engine creates an index for each foreign key. */
  readonly indexesKeys: boolean
  /** For the connection that restores rows. */
  readonly prepare: string
  empty(tables: readonly string[]): string
  /**
   * Run after rows are restored, so that no method pays for leftovers of the previous one. One statement
   * each.
   */
  settled(tables: readonly string[]): readonly string[]
  /** Ends the session of a killed process; `undefined` if it ends with the process. */
  readonly left: { readonly find: string; end(session: number): string } | undefined
  /** The number of deleted rows that the server has yet to purge; `undefined` if it purges at once. */
  readonly backlog: string | undefined
}

const MYSQL: Dialect = {
  wide: (expression) => expression,
  divided: (dividend, divisor) => `(${dividend}) DIV ${divisor}`,
  tableOptions: ' ENGINE = InnoDB',
  indexesKeys: true,
  // Copied rows need no locks.
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
    // Autovacuum must not start during a measurement.
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
    // Otherwise the count includes purged rows for a long time.
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
