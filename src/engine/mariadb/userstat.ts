import type { Connection } from '../connection.ts'
import { isDenied, uncounted } from '../mysql/counters.ts'
import { flavorOf } from '../mysql/flavor-of.ts'
import type { Program } from '../resetter.ts'
import { mariadbFlavor } from './flavor.ts'

/**
 * InnoDB's counts of inserts that failed or were turned away: these move AUTO_INCREMENT, and `userstat` counts
 * no row. The first one counts only if it is enabled (`innodb_monitor_enable`).
 */
export const FAILURE_METRICS = ['trx_rollbacks_savepoint', 'lock_deadlocks', 'lock_timeouts'] as const

const ORIGIN = `SELECT global_value_origin AS origin FROM information_schema.system_variables
  WHERE variable_name = 'USERSTAT'`

/** Why `userstat` cannot tell what was written, as a phrase for people; `undefined` if it can. */
export async function whyNotUserstat(connection: Connection, program: Program): Promise<string | undefined> {
  if ((await flavorOf(connection)) !== mariadbFlavor) return 'only MariaDB has userstat'
  const unwatched = uncounted(program)
  if (unwatched !== undefined) return unwatched
  const [row] = await connection.query('SELECT @@GLOBAL.userstat AS enabled')
  if (Number(row?.enabled) !== 1) return 'the server runs without userstat'
  if (await wasSwitched(connection)) return 'userstat was switched while the server ran'
  try {
    // Needs PROCESS, as do the sessions of others, among which ended ones are found.
    await connection.query('SELECT COUNT(*) AS n FROM information_schema.innodb_metrics')
    return undefined
  } catch (error) {
    if (isDenied(error)) return 'the user lacks the privilege PROCESS'
    throw error
  }
}

/** Whether `userstat` was set since the server started: it may have been off for a while. */
export async function wasSwitched(connection: Connection): Promise<boolean> {
  const [row] = await connection.query(ORIGIN)
  return row?.origin === 'SQL'
}

/** Tables where an insert that is turned away moves AUTO_INCREMENT, and no count of InnoDB. */
export async function silentTables(connection: Connection): Promise<ReadonlySet<string>> {
  const rows = await connection.query(
    `SELECT table_name AS name FROM information_schema.statistics WHERE table_schema = DATABASE() AND index_type = 'HASH'
     UNION SELECT table_name FROM information_schema.partitions WHERE table_schema = DATABASE() AND partition_name IS NOT NULL`,
  )
  return new Set(rows.map(({ name }) => String(name)))
}

/** Whether the statistics tell inserted rows from others, as since 11.5. */
export async function tellsInserts(connection: Connection): Promise<boolean> {
  const rows = await connection.query(
    `SELECT 1 FROM information_schema.columns WHERE table_schema = 'information_schema'
     AND table_name = 'TABLE_STATISTICS' AND column_name = 'ROWS_INSERTED'`,
  )
  return rows.length > 0
}

/** More tables than this make each snapshot slow: reading one takes about as long as a tenth of a SELECT 1. */
const MANY_STATISTICS = 300

/** Forgets the statistics if there are many, and only of databases that afresh made: nobody else reads those. */
export async function flushStatistics(connection: Connection): Promise<void> {
  const [row] = await connection.query(
    `SELECT COUNT(*) AS n, COALESCE(SUM(table_schema NOT LIKE 'afresh\\_%' AND table_schema NOT IN ('mysql', 'sys')), 0) AS foreign_tables
     FROM information_schema.table_statistics`,
  )
  if (Number(row?.n) <= MANY_STATISTICS || Number(row?.foreign_tables) > 0) return
  try {
    await connection.query('FLUSH LOCAL TABLE_STATISTICS')
  } catch (error) {
    if (!isDenied(error)) throw error
  }
}
