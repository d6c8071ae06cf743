import type { Costs } from '../../plan/cost.ts'
import type { Connection } from '../connection.ts'
import type { MeasurementBudget } from '../costs.ts'
import { quartilesOf } from '../interleaved-timing.ts'
import { flavorOf } from './flavor-of.ts'
import { literal } from './quote.ts'
import { isCounterAtSql } from './steps.ts'

/** Version and settings that determine the cost of a write. SHOW omits what a server does not have. */
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

const SETTINGS = 'SET autocommit = 1, foreign_key_checks = 0'
/** Avoids a COMMIT for each statement. */
const WRITER_SETTINGS = 'SET autocommit = 0, foreign_key_checks = 0'

/** `few` has a foreign key and an index, as most tables: ALTER TABLE costs three times as much with them. */
const TABLES = [
  'CREATE TABLE parents (id int AUTO_INCREMENT PRIMARY KEY) ENGINE = InnoDB',
  `CREATE TABLE few (id int AUTO_INCREMENT PRIMARY KEY, parent int, a int, KEY (a),
     FOREIGN KEY (parent) REFERENCES parents (id)) ENGINE = InnoDB`,
  'CREATE TABLE plain (id int PRIMARY KEY, a int, b int, label varchar(100)) ENGINE = InnoDB',
  // Tables that are truncated have no deletes: TRUNCATE would have to wait for the purge.
  ...['indexed', 'cut', 'referred'].map(
    (name) =>
      `CREATE TABLE ${name} (id int PRIMARY KEY, a int, b int, label varchar(100), KEY (a), KEY (b)) ENGINE = InnoDB`,
  ),
  ...[1, 2].map(
    (no) =>
      `CREATE TABLE referrer_${no} (id int PRIMARY KEY, referred int, FOREIGN KEY (referred) REFERENCES referred (id)) ENGINE = InnoDB`,
  ),
]
const REFERRERS = 2
const MORE_INDEXES = 2

/**
 * TRUNCATE and ALTER take longer within a reset, in a routine and among many tables, than alone, by more than
 * the plan allows for on every engine. Without this factor, MySQL 9.7 truncated in 9 of 200 random cases
 * where DELETE was faster, and never deleted where TRUNCATE was faster (`npm run bench:auto`).
 */
const IN_A_RESET = 1.2

const FEW = 10
const ADD_FEW = joined([`INSERT INTO few (a) VALUES ${Array(FEW).fill('(1)').join(', ')}`])

const DIGITS = `(SELECT 0 AS d ${[1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => `UNION ALL SELECT ${digit}`).join(' ')})`
const NUMBERS = `SELECT a.d + 10 * b.d + 100 * c.d AS n
  FROM ${DIGITS} AS a, ${DIGITS} AS b, ${DIGITS} AS c`
/** Unsorted, like the values of most columns. */
const VALUES = `n, n * 7919 % 1009, n * 104729 % 1013, 'a label of a usual length'`

/**
 * Measures with about as many rows as at the break-even point: with more rows, DELETE takes less time per row
 * and TRUNCATE takes longer.
 *
 * @param afterwards queries that a reset runs after TRUNCATE and ALTER
 */
function turnsWith(afterwards: readonly string[], { rows, database }: { rows: number; database: string }) {
  const deleted = (table: string) => ({ written: filled(table, rows), timed: emptied(table) })
  const truncated = (table: string) => ({
    written: filled(table, rows),
    timed: [executed(`TRUNCATE TABLE ${table}`), ...afterwards].join(';\n'),
  })
  const restarted = [isCounterAtSql(database, 'few', 1n), 'ALTER TABLE few AUTO_INCREMENT = 1'].map(executed)
  return {
    few: { written: ADD_FEW, timed: emptied('few') },
    restart: { written: ADD_FEW, timed: [emptied('few'), ...restarted, ...afterwards].join(';\n') },
    cut: truncated('cut'),
    referred: truncated('referred'),
    plain: deleted('plain'),
    indexed: deleted('indexed'),
  }
}

/** Deletes like the routine of a reset. TRUNCATE needs no transaction. */
function emptied(table: string): string {
  return [
    'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ',
    'START TRANSACTION',
    executed(`DELETE FROM ${table}`),
    'COMMIT',
  ].join(';\n')
}

/** Runs a statement like the routine, which queries the position of a counter before it restarts it. */
function executed(sql: string): string {
  return [
    `SET @afresh_sql = ${literal(sql)}`,
    'PREPARE afresh_step FROM @afresh_sql',
    'EXECUTE afresh_step',
  ].join(';\n')
}

function filled(table: string, rows: number): string {
  return joined([`INSERT INTO ${table} SELECT ${VALUES} FROM (${NUMBERS}) AS numbers WHERE n < ${rows}`])
}

function joined(statements: readonly string[]): string {
  return [...statements, 'COMMIT'].join(';\n')
}

export async function measure(
  connection: Connection,
  writer: Connection,
  effort: MeasurementBudget,
): Promise<Costs> {
  const { watch, truncateBreakEvenRows: crossingRows } = await flavorOf(connection)
  await connection.query([SETTINGS, ...TABLES].join(';\n'))
  await writer.query(WRITER_SETTINGS)
  const afterwards = watch.countsStatements ? [] : [`SELECT ${watch.catalog} FROM ${watch.status}`]
  const turns = turnsWith(afterwards, { rows: crossingRows, database: connection.database })
  const { few, restart, cut, referred, plain, indexed } = await quartilesOf(turns, {
    connection,
    writer,
    effort,
  })
  const [row] = await connection.query('SELECT @@innodb_page_size AS bytes')
  return {
    truncate: 0,
    truncateFile: IN_A_RESET * Math.max(1, cut - few),
    truncateKey: IN_A_RESET * Math.max(0, (referred - cut) / REFERRERS),
    planTable: 0,
    deleteRow: Math.max(0.1, (plain - few) / (crossingRows - FEW)),
    deleteIndexRow: Math.max(0, (indexed - plain) / crossingRows / MORE_INDEXES),
    probeRow: 0, // checks can always be switched off
    referredRow: 0,
    readPage: 0, // InnoDB purges rows and frees their pages in the background
    restart: IN_A_RESET * Math.max(0, restart - few),
    pageBytes: Number(row?.bytes),
  }
}
