import type { Costs } from '../../plan/cost.ts'
import type { Connection, CostMeter } from '../engine.ts'

/** Version and settings that decide what a write costs; `SHOW` leaves out those that a server does not have. */
export async function conditions(connection: Connection): Promise<string> {
  const rows =
    await connection.query(`SHOW GLOBAL VARIABLES WHERE variable_name IN ('version', 'version_comment',
    'innodb_buffer_pool_size', 'innodb_doublewrite', 'innodb_file_per_table', 'innodb_flush_log_at_trx_commit',
    'innodb_flush_method', 'innodb_page_size', 'log_bin', 'performance_schema', 'sync_binlog')`)
  return rows
    .map((row) => Object.values(row).join(' '))
    .sort()
    .join(', ')
}

const COLUMNS = 'id int PRIMARY KEY, a int, b int, c int, label varchar(40)'

const TABLES = [
  ...['deleted', 'cut'].flatMap((how) => [
    `CREATE TABLE plain_${how} (${COLUMNS}) ENGINE = InnoDB`,
    `CREATE TABLE broad_${how} (${COLUMNS}, KEY (a), KEY (b), KEY (c)) ENGINE = InnoDB`,
  ]),
  // A key to another table and an index, as most tables have: ALTER TABLE costs three times as much with them.
  'CREATE TABLE parents (id int PRIMARY KEY) ENGINE = InnoDB',
  `CREATE TABLE counted_deleted (id int AUTO_INCREMENT PRIMARY KEY, a int, b int, c int, label varchar(40), KEY (a),
     parent int, FOREIGN KEY (parent) REFERENCES parents (id)) ENGINE = InnoDB`,
]

const DIGITS = `(SELECT 0 AS d ${[1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => `UNION ALL SELECT ${digit}`).join(' ')})`
const NUMBERS = `SELECT 1 + p0.d + 10 * p1.d + 100 * p2.d AS n FROM ${DIGITS} AS p0, ${DIGITS} AS p1, ${DIGITS} AS p2`

/** Rows in no order, as most columns are. */
function fill(table: string, rows: number): string {
  return `INSERT INTO ${table} (id, a, b, c, label) SELECT n, n * 7919 % 1009, n * 104729 % 1013, n, 'a label of a usual length'
    FROM (${NUMBERS}) AS numbers WHERE n <= ${rows}`
}

/** Checks can always be switched off, and dead pages are purged in the background and given back. */
export const meter: Omit<CostMeter, 'defaults'> = {
  conditions,
  tables: TABLES,
  counts: true,
  fill,
  between: [],
  probe: undefined,
  byRow: () => ({ planTable: 0, referredRow: 0, readPage: 0 }),
}
