import type { Costs } from '../../plan/cost.ts'
import type { Connection } from '../engine.ts'

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

/** A key to another table and an index, as most tables have: ALTER TABLE costs three times as much with them. */
const TABLES = [
  'SET autocommit = 1, foreign_key_checks = 0',
  'CREATE TABLE parents (id int AUTO_INCREMENT PRIMARY KEY) ENGINE = InnoDB',
  `CREATE TABLE one (id int AUTO_INCREMENT PRIMARY KEY, parent int, a int, KEY (a),
     FOREIGN KEY (parent) REFERENCES parents (id)) ENGINE = InnoDB`,
  'CREATE TABLE plain (id int PRIMARY KEY, a int, b int, label varchar(100)) ENGINE = InnoDB',
  'CREATE TABLE indexed (id int PRIMARY KEY, a int, b int, label varchar(100), KEY (a), KEY (b)) ENGINE = InnoDB',
]
const MORE_INDEXES = 2

const DIGITS = `(SELECT 0 AS d ${[1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => `UNION ALL SELECT ${digit}`).join(' ')})`
const ROWS = 3000
const NUMBERS = `SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n
  FROM ${DIGITS} AS a, ${DIGITS} AS b, ${DIGITS} AS c, (SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2) AS e`

/** A row with its header, transaction and undo pointer; counted, since the statistics lag behind. Pages are 15/16 full. */
const ROW_BYTES = 57
const FULL = 15 / 16

const ADD_ONE = 'INSERT INTO one (a) VALUES (1)'

/**
 * By the server's own clock, which NOW() takes when a statement begins. The least of several times is the one that
 * nobody else disturbed.
 */
export async function measure(connection: Connection): Promise<Costs> {
  const run = (statements: readonly string[]) => connection.query(statements.join(';\n'))
  await run(TABLES)
  for (let i = 0; i < 8; i++) {
    await run([
      ADD_ONE,
      ...timed('one', 'DELETE FROM one'),
      ...timed('restart', 'ALTER TABLE one AUTO_INCREMENT = 1'),
      ADD_ONE,
      ...timed('cut', 'TRUNCATE TABLE one'),
    ])
  }
  for (let i = 0; i < 2; i++) {
    const fill = (table: string) =>
      `INSERT INTO ${table} SELECT n, n, n, 'a label of a usual length' FROM (${NUMBERS}) AS numbers`
    await run([
      fill('plain'),
      fill('indexed'),
      ...timed('plain', 'DELETE FROM plain'),
      ...timed('indexed', 'DELETE FROM indexed'),
    ])
  }
  const [row] = await connection.query(`SELECT @one AS one, @cut AS cut, @restart AS restart, @plain AS plain,
    @indexed AS indexed, @@innodb_page_size AS page`)
  const read = (name: string) => Number(row?.[name])
  const pageBytes = read('page')
  const pages = (ROWS * ROW_BYTES) / (pageBytes * FULL)
  return {
    truncate: 0,
    truncateFile: Math.max(1, read('cut') - read('one')),
    deletePage: read('plain') / pages,
    deleteIndexPage: Math.max(0, (read('indexed') - read('plain')) / pages / MORE_INDEXES),
    probePage: 0, // checks can always be switched off
    deadPage: 0, // purged in the background, and its pages given back
    restart: read('restart'),
    pageBytes,
  }
}

/** Keeps the least of the times, in microseconds, in a variable of the session. */
function timed(name: string, statement: string): string[] {
  return [
    'SET @began = NOW(6)',
    statement,
    `SET @${name} = LEAST(COALESCE(@${name}, 1e9), TIMESTAMPDIFF(MICROSECOND, @began, NOW(6)))`,
  ]
}
