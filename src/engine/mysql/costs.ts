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

/** As many as a test may have written to: the first statement after another kind takes longer than the next. */
const FEW = ['few_1', 'few_2', 'few_3']
const ADD_FEW = eachOf('INSERT INTO', `(a) VALUES ${Array(10).fill('(1)').join(', ')}`)

function eachOf(before: string, after = ''): string[] {
  return FEW.map((name) => `${before} ${name} ${after}`)
}

/** A key to another table and an index, as most tables have: ALTER TABLE costs three times as much with them. */
const TABLES = [
  'SET autocommit = 0, foreign_key_checks = 0',
  'CREATE TABLE parents (id int AUTO_INCREMENT PRIMARY KEY) ENGINE = InnoDB',
  ...FEW.map(
    (name) => `CREATE TABLE ${name} (id int AUTO_INCREMENT PRIMARY KEY, parent int, a int, KEY (a),
     FOREIGN KEY (parent) REFERENCES parents (id)) ENGINE = InnoDB`,
  ),
  'CREATE TABLE plain (id int PRIMARY KEY, a int, b int, label varchar(100)) ENGINE = InnoDB',
  'CREATE TABLE indexed (id int PRIMARY KEY, a int, b int, label varchar(100), KEY (a), KEY (b)) ENGINE = InnoDB',
]
const MORE_INDEXES = 2

const DIGITS = `(SELECT 0 AS d ${[1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => `UNION ALL SELECT ${digit}`).join(' ')})`
/** Few pages of them: what takes a millisecond or two is likely to be left alone once in several times. */
const ROWS = 1000
const NUMBERS = `SELECT a.d + 10 * b.d + 100 * c.d AS n
  FROM ${DIGITS} AS a, ${DIGITS} AS b, ${DIGITS} AS c`

/** A row with its header, transaction and undo pointer; counted, since the statistics lag behind. Pages are 15/16 full. */
const ROW_BYTES = 57
const FULL = 15 / 16

/**
 * By the server's own clock, which NOW() takes when a statement begins. A reset commits its DELETEs once, however many
 * they are, so that is part of none. The least of several times is the one that
 * nobody else disturbed.
 */
export async function measure(connection: Connection): Promise<Costs> {
  const run = (statements: readonly string[]) => connection.query(statements.join(';\n'))
  await run(TABLES)
  for (let i = 0; i < 6; i++) {
    await run([
      ...ADD_FEW,
      'COMMIT',
      ...timed('few', eachOf('DELETE FROM')),
      'COMMIT',
      ...timed('restart', eachOf('ALTER TABLE', 'AUTO_INCREMENT = 1')),
      ...ADD_FEW,
      'COMMIT',
      ...timed('cut', eachOf('TRUNCATE TABLE')),
    ])
  }
  for (let i = 0; i < 8; i++) {
    const fill = (table: string) =>
      `INSERT INTO ${table} SELECT n, n, n, 'a label of a usual length' FROM (${NUMBERS}) AS numbers`
    await run([
      fill('plain'),
      fill('indexed'),
      'COMMIT',
      ...timed('plain', ['DELETE FROM plain']),
      ...timed('indexed', ['DELETE FROM indexed']),
      'COMMIT',
    ])
  }
  const [row] = await connection.query(`SELECT @few AS few, @cut AS cut, @restart AS restart, @plain AS plain,
    @indexed AS indexed, @@innodb_page_size AS page`)
  const read = (name: string) => Number(row?.[name])
  const pageBytes = read('page')
  const pages = (ROWS * ROW_BYTES) / (pageBytes * FULL)
  return {
    truncate: 0,
    truncateFile: Math.max(1, (read('cut') - read('few')) / FEW.length),
    deletePage: read('plain') / pages,
    deleteIndexPage: Math.max(0, (read('indexed') - read('plain')) / pages / MORE_INDEXES),
    probePage: 0, // checks can always be switched off
    deadPage: 0, // purged in the background, and its pages given back
    restart: read('restart') / FEW.length,
    pageBytes,
  }
}

/** Keeps the least of the times, in microseconds, in a variable of the session. */
function timed(name: string, statements: readonly string[]): string[] {
  return [
    'SET @began = NOW(6)',
    ...statements,
    `SET @${name} = LEAST(COALESCE(@${name}, 1e9), TIMESTAMPDIFF(MICROSECOND, @began, NOW(6)))`,
  ]
}
