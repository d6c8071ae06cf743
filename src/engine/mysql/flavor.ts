import type { Costs } from '../../plan/cost.ts'
import type { Position, Sequence } from '../../schema/schema.ts'
import type { Row } from '../connection.ts'
import { type FlavorBenchSql, mysqlBench } from './bench.ts'
import { literal } from './quote.ts'

/** Where MySQL and MariaDB differ; found out from the server, whatever the URL calls it. */
export interface Flavor {
  readonly name: string
  readonly title: string
  readonly protocols: readonly string[]
  /** Session settings that only this family has, as SQL. */
  readonly settings: Readonly<Record<string, string>>
  /** What replaying definitions needs besides: every table is taken as it is. */
  readonly definitionSettings: Readonly<Record<string, string>>
  /** Lists the system variables that `identity` may use; `undefined` when it needs to know none. */
  readonly identityProbe: string | undefined
  /** An SQL expression that no two servers have the same value of. */
  identity(probed: readonly Row[]): string
  /** Servers of the same name and address, as every run of a Compose file starts one, have the same identity. */
  readonly identityRepeats: boolean
  /** Whether the server takes its data from another one. */
  readonly replica: ReplicaDialect
  /** Sessions that hold locks in the current database: columns `id`, `who`, `state`, `query`. */
  readonly blockers: string
  /** The open transactions of all sessions; `undefined` where the server does not tell. */
  readonly transactions: string | undefined
  /** The locks that GET_LOCK gave to other sessions of the database; `undefined` where the server does not tell. */
  readonly userLocks: string | undefined
  /** The free sequences of a database, given their names; one query that returns a row for each, in order. */
  readonly sequences: SequenceDialect | undefined
  /** How writes are watched. */
  readonly watch: WatchDialect
  /** What emptying a table takes where nobody has measured it: in a container, its data in memory. */
  readonly costs: Costs
  /** About where DELETE and TRUNCATE cross, up to 1,000: TRUNCATE takes longer the more rows there are. */
  readonly truncateBreakEvenRows: number
  /** The variable that says how deep a recursive query may go. */
  readonly recursionLimit: string
  /** Statements that take a semicolon after them for a part of what they define. */
  readonly endsMessage: RegExp | undefined
  /** How emptying tables is measured at length. */
  readonly bench: FlavorBenchSql
}

export interface ReplicaDialect {
  /** Shows a row for each server that data is taken from, to those who may see it. */
  readonly status: string
  /** A condition that everybody may ask for, and that holds only on a replica, or on one that was. */
  readonly signs: string
}

/** Where the server tells what was done to tables; expressions over the rows of `status`. */
export interface WatchDialect {
  /** Counters of the whole server. */
  readonly status: string
  /** How many rows `status` has; fewer in a version that does not count all of it. */
  readonly statusRows: number
  /** Changes with every definition of a table that is made, changed or dropped on the server, and with TRUNCATE. */
  readonly catalog: string
  /** `catalog` is a number of statements, so that one's own can be told from others'. */
  readonly countsStatements: boolean
  /** What could not be counted for lack of memory. */
  readonly lost: string
  /** InnoDB's lists of tables, and of what it knows of each. */
  readonly tables: string
  readonly tableStats: string
  /** Selects a row where InnoDB's cascades are not counted like other writes. */
  readonly unseenCascades: string
}

/** SQL of sequences that are objects of their own. */
export interface SequenceDialect {
  /** Selects `place` and `next` of all of them. */
  positions(names: readonly string[], database?: string): string
  /** Selects everything there is to know, one row for each, with its `place`. */
  catalog(names: readonly string[]): string
  parse(name: string, row: Row, schema: string): Sequence
  restart(name: string, next: bigint): string
  /** Takes one value, so that the exact position is known; `next_not_cached_value` is only an upper bound. */
  take(name: string): string
}

/** The value that is handed out next. */
export function nextOf({ value, called }: Position, increment = 1n): bigint {
  return called ? value + increment : value
}

export function isMariaDb(version: string): boolean {
  return /mariadb/i.test(version)
}

/** Writes by a session, or to a table, for which there was no memory are not counted. */
export const LOST = [
  'Performance_schema_table_handles_lost',
  'Performance_schema_table_instances_lost',
  'Performance_schema_thread_instances_lost',
] as const

export const LOST_SUM = `COALESCE(SUM(IF(variable_name LIKE 'Performance%', variable_value, 0)), 0)`

/** From 8.0.19 on. */
const SYSTEM_ROWS = [
  'Innodb_system_rows_inserted',
  'Innodb_system_rows_updated',
  'Innodb_system_rows_deleted',
] as const

export const mysqlFlavor: Flavor = {
  name: 'mysql',
  title: 'MySQL',
  protocols: ['mysql', 'mariadb'],
  settings: {
    // Cached for 24 hours otherwise: https://dev.mysql.com/doc/refman/9.0/en/information-schema-optimization.html
    information_schema_stats_expiry: '0',
    max_execution_time: '0',
  },
  // They need SESSION_VARIABLES_ADMIN from 8.0.26 on, so they are set only where they are not so already.
  definitionSettings: {
    innodb_strict_mode: '0',
    sql_require_primary_key: '0',
    sql_generate_invisible_primary_key: '0',
  },
  identityProbe: undefined,
  identity: () => '@@server_uuid',
  identityRepeats: false,
  replica: {
    status: 'SHOW REPLICA STATUS',
    // Transactions of other servers in its own log: those of a dump count as purged.
    signs: `REPLACE(GTID_SUBTRACT(@@global.gtid_executed, @@global.gtid_purged), @@server_uuid, '') REGEXP '[0-9a-f]{8}-'`,
  },
  blockers: `
    SELECT t.processlist_id AS id, CONCAT(t.processlist_user, '@', t.processlist_host) AS who,
      CONCAT(t.processlist_command, ' for ', t.processlist_time, ' s, ',
        GROUP_CONCAT(DISTINCT m.lock_type, ' on ', m.object_name ORDER BY m.object_name SEPARATOR ', ')) AS state,
      COALESCE(t.processlist_info, (SELECT e.sql_text FROM performance_schema.events_statements_current AS e
        WHERE e.thread_id = t.thread_id ORDER BY e.event_id DESC LIMIT 1)) AS query
    FROM performance_schema.metadata_locks AS m
    JOIN performance_schema.threads AS t ON t.thread_id = m.owner_thread_id
    WHERE m.object_type = 'TABLE' AND m.object_schema = DATABASE() AND m.lock_status = 'GRANTED'
      AND t.processlist_id <> CONNECTION_ID()
    GROUP BY t.thread_id, t.processlist_id`,
  transactions: `
    SELECT t.processlist_id AS id, e.event_id AS transaction FROM performance_schema.events_transactions_current AS e
    JOIN performance_schema.threads AS t USING (thread_id) WHERE e.state = 'ACTIVE' AND e.autocommit = 'NO'`,
  userLocks: `
    SELECT t.processlist_id AS id, CONCAT('connection ', t.processlist_id, ' (', t.processlist_user, ')') AS who, m.object_name AS name
    FROM performance_schema.metadata_locks AS m JOIN performance_schema.threads AS t ON t.thread_id = m.owner_thread_id
    WHERE m.object_type = 'USER LEVEL LOCK' AND m.lock_status = 'GRANTED' AND t.processlist_db = DATABASE()
      AND t.processlist_id <> CONNECTION_ID()`,
  sequences: undefined,
  watch: {
    status: `performance_schema.global_status WHERE variable_name IN (${[...SYSTEM_ROWS, ...LOST].map(literal).join(', ')})`,
    statusRows: SYSTEM_ROWS.length + LOST.length,
    // Definitions are rows of system tables. Com_… would be exact, but cannot be selected.
    catalog: `COALESCE(SUM(IF(variable_name LIKE 'Innodb%', variable_value, 0)), 0)`,
    countsStatements: false,
    lost: LOST_SUM,
    tables: 'information_schema.innodb_tables',
    tableStats: 'information_schema.innodb_tablestats',
    // The SQL layer does them from 9.6 on, unless it is told not to.
    unseenCascades: `SELECT 1 AS unseen FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM performance_schema.global_variables
      WHERE variable_name = 'innodb_native_foreign_keys' AND variable_value = 'OFF')`,
  },
  truncateBreakEvenRows: 1000,
  costs: {
    truncate: 0,
    truncateFile: 2900,
    truncateKey: 600,
    planTable: 0,
    deleteRow: 1.2,
    deleteIndexRow: 0.8,
    probeRow: 0,
    referredRow: 0,
    readPage: 0,
    restart: 3500,
    pageBytes: 16_384,
  },
  recursionLimit: 'cte_max_recursion_depth',
  // The parser reads one token ahead to know where a body ends, but for one in BEGIN … END.
  endsMessage: /^CREATE\b[^(]*?\bTRIGGER\b(?!.*?\bFOR\s+EACH\s+ROW\s+BEGIN\b)/is,
  bench: mysqlBench,
}
