import type { Costs } from '../../plan/cost.ts'
import type { Position, Sequence } from '../../schema/schema.ts'
import type { Row } from '../engine.ts'

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
  /** Sessions that hold locks in the current database: columns `id`, `who`, `state`, `query`. */
  readonly blockers: string
  /** The free sequences of a database, given their names; one query that returns a row for each, in order. */
  readonly sequences: SequenceDialect | undefined
  /** What emptying a table takes where nobody has measured it: in a container, its data in memory. */
  readonly costs: Costs
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
  sequences: undefined,
  costs: {
    truncate: 0,
    truncateFile: 970,
    deletePage: 295,
    deleteIndexPage: 178,
    probePage: 0,
    deadPage: 0,
    restart: 1040,
    pageBytes: 16_384,
  },
}
