import type { Costs } from '../../plan/cost.ts'
import type { Position, Sequence } from '../../schema/schema.ts'
import type { Row } from '../connection.ts'
import { type FlavorBenchSql, mysqlBench } from './bench.ts'
import { protocols } from './environment.ts'
import { literal } from './quote.ts'

/** Differences between MySQL and MariaDB. The server's version decides which flavor applies, not the URL. */
export interface Flavor {
  readonly name: string
  readonly title: string
  readonly protocols: readonly string[]
  /** Session settings that only this server has, as SQL. */
  readonly settings: Readonly<Record<string, string>>
  /** Additional settings for replaying definitions, so that the server accepts every table as it is. */
  readonly definitionSettings: Readonly<Record<string, string>>
  /** Query for the system variables that `identity` may use; `undefined` if it needs none. */
  readonly identityProbe: string | undefined
  /** SQL expression whose value differs between servers. */
  identity(probed: readonly Row[]): string
  /** Whether servers of equal name and address, as in repeated runs of a Compose file, have one identity. */
  readonly identityRepeats: boolean
  /** Detects whether the server replicates from another one. */
  readonly replica: ReplicaDialect
  /** Query for sessions with locks in the current database: columns `id`, `who`, `state`, `query`. */
  readonly blockers: string
  /** Query for the open transactions of all sessions; `undefined` if the server does not report them. */
  readonly transactions: string | undefined
  /** Query for GET_LOCK locks of other sessions in the database; `undefined` if they are not reported. */
  readonly userLocks: string | undefined
  /** SQL of sequence objects; `undefined` if the server has none. */
  readonly sequences: SequenceDialect | undefined
  /** Where the server counts writes. */
  readonly watch: WatchDialect
  /** Costs of emptying a table until they are measured: those of a container with its data in memory. */
  readonly costs: Costs
  /** Rows, at most 1,000, at which DELETE and TRUNCATE take about equally long; TRUNCATE grows with rows. */
  readonly truncateBreakEvenRows: number
  /** The variable that limits the depth of recursive queries. */
  readonly recursionLimit: string
  /** Statements that would include a following semicolon in the definition. */
  readonly endsMessage: RegExp | undefined
  /** SQL of benchmarks. */
  readonly bench: FlavorBenchSql
}

export interface ReplicaDialect {
  /** Shows a row for each server that data is replicated from, to users with the privilege. */
  readonly status: string
  /** SQL condition that every user may query; true only on a replica or a former replica. */
  readonly signs: string
}

/** Where the server counts changes to tables. Expressions are evaluated over the rows of `status`. */
export interface WatchDialect {
  /** Counters of the whole server. */
  readonly status: string
  /** Number of rows of `status`; a version that lacks a counter has fewer. */
  readonly statusRows: number
  /** Changes with every CREATE, ALTER and DROP of a table on the server, and with TRUNCATE. */
  readonly catalog: string
  /** Whether `catalog` counts statements, so that a session can subtract its own. */
  readonly countsStatements: boolean
  /** Number of objects that were not counted for lack of memory. */
  readonly lost: string
  /** InnoDB's tables, and its statistics of each table. */
  readonly tables: string
  readonly tableStats: string
  /** Selects a row if InnoDB's cascades are not counted like other writes. */
  readonly unseenCascades: string
}

/** SQL of sequences that are objects of their own. */
export interface SequenceDialect {
  /** Selects `ordinal`, the index in `names`, and `next` of each sequence. */
  positions(names: readonly string[], database?: string): string
  /** Selects all properties of each sequence, with its `ordinal`. */
  catalog(names: readonly string[]): string
  parse(name: string, row: Row, schema: string): Sequence
  restart(name: string, next: bigint): string
  /** Takes one value to make the exact position known: `next_not_cached_value` is only an upper bound. */
  take(name: string): string
}

/** The value that the sequence returns next. */
export function nextOf({ value, called }: Position, increment = 1n): bigint {
  return called ? value + increment : value
}

export function isMariaDb(version: string): boolean {
  return /mariadb/i.test(version)
}

/** The server does not count writes by a session, or to a table, for which it had no memory. */
export const LOST = [
  'Performance_schema_table_handles_lost',
  'Performance_schema_table_instances_lost',
  'Performance_schema_thread_instances_lost',
] as const

export const LOST_SUM = `COALESCE(SUM(IF(variable_name LIKE 'Performance%', variable_value, 0)), 0)`

/** Since 8.0.19. */
const SYSTEM_ROWS = [
  'Innodb_system_rows_inserted',
  'Innodb_system_rows_updated',
  'Innodb_system_rows_deleted',
] as const

export const mysqlFlavor: Flavor = {
  name: 'mysql',
  title: 'MySQL',
  protocols,
  settings: {
    // Default 24 hours: https://dev.mysql.com/doc/refman/9.0/en/information-schema-optimization.html
    information_schema_stats_expiry: '0',
    max_execution_time: '0',
  },
  // Setting these requires SESSION_VARIABLES_ADMIN since 8.0.26, so afresh sets only those that differ.
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
    // Transactions of other servers in this server's log; those of a dump count as purged.
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
    // Definitions are rows of system tables. Com_… counters would be exact, but cannot be selected.
    catalog: `COALESCE(SUM(IF(variable_name LIKE 'Innodb%', variable_value, 0)), 0)`,
    countsStatements: false,
    lost: LOST_SUM,
    tables: 'information_schema.innodb_tables',
    tableStats: 'information_schema.innodb_tablestats',
    // Since 9.6, the SQL layer executes cascades unless configured otherwise.
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
  // The parser reads one token ahead to find the end of a body, except after BEGIN … END.
  endsMessage: /^CREATE\b[^(]*?\bTRIGGER\b(?!.*?\bFOR\s+EACH\s+ROW\s+BEGIN\b)/is,
  bench: mysqlBench,
}
