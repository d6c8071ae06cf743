import {
  type BenchDialect,
  benchTables,
  INDEXED,
  INDEXES,
  REFERRED_ROWS,
  REFERRING_ROWS,
  type Shape,
} from '../bench-dialect.ts'
import { locksOf } from './bench-locks.ts'
import { settingsOf } from './bench-settings.ts'

/** Bench SQL that differs between MySQL and MariaDB. */
export interface FlavorBenchSql {
  /** A table expression with the integers `from` to `to`, both included, in its column `n`. */
  numbers(from: number, to: number): string
  /** Table of InnoDB's files: columns `name` and `file_size`. */
  readonly files: string
}

const DIGITS = `(SELECT 0 AS d ${[1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => `UNION ALL SELECT ${digit}`).join(' ')})`

export const mysqlBench: FlavorBenchSql = {
  numbers(from, to) {
    const places = Array.from({ length: String(to - from).length }, (_, digit) => digit)
    const number = places.map((digit) => `${10 ** digit} * p${digit}.d`).join(' + ')
    const digits = places.map((digit) => `${DIGITS} AS p${digit}`).join(', ')
    return `(SELECT ${from} + ${number} AS n FROM ${digits} WHERE ${number} <= ${to - from})`
  },
  files: 'information_schema.innodb_tablespaces',
}

/** The value of `label`. InnoDB stores a value of 9 kB off-page, with only a pointer in the row. */
const TEXT: Readonly<Record<Shape['width'], string>> = {
  narrow: `'a label of a usual length'`,
  wide: `REPEAT('x', 1000)`,
  'off-page': `REPEAT('x', 9000)`,
}

export function benchOf(flavor: FlavorBenchSql): BenchDialect {
  return {
    lacks({ logged, incoming, outgoing }) {
      if (!logged) return 'there are no unlogged tables'
      if (incoming === 'unindexed' || outgoing === 'unindexed')
        return 'InnoDB makes an index for each foreign key'
      return undefined
    },
    create: (shape) => createTables(flavor, shape),
    fill: (shape, from, to) => fillTables(flavor, shape, from, to),
    renew: (shape) => unchecked([...benchTables(shape), ...childrenOf(shape)].map(truncate)),
    empty: emptyTables,

    settings: settingsOf,
    async isPurged(connection) {
      const [row] = await connection.query('SHOW ENGINE INNODB STATUS')
      const status = String(row?.Status)
      // MySQL shortens its history list only now and then, whatever is purged.
      const [, next] = /^Trx id counter (\d+)/m.exec(status) ?? []
      const [, done, undo] = /^Purge done for trx's n:o < (\d+) undo n:o < (\d+)/m.exec(status) ?? []
      return /^History list length 0$/m.test(status) || (Number(done) >= Number(next) && undo === '0')
    },

    // MySQL's status variable lags behind.
    async journal(connection) {
      const [row] = await connection.query('SHOW ENGINE INNODB STATUS')
      const position = /^Log sequence number\s+(\d+)/m.exec(String(row?.Status))?.[1]
      return position === undefined ? undefined : Number(position)
    },

    async bytes(connection) {
      const [row] = await connection.query(
        `SELECT COALESCE(SUM(file_size), 0) AS bytes FROM ${flavor.files} WHERE name LIKE CONCAT(DATABASE(), '/%')`,
      )
      return Number(row?.bytes)
    },

    // Copies are created without triggers: see `CloneOptions`.
    silence: async () => new Map(),
    locks: locksOf,
  }
}

function createTables(flavor: FlavorBenchSql, shape: Shape): string[] {
  const referred = [
    'CREATE TABLE referred (id int PRIMARY KEY) ENGINE = InnoDB',
    `INSERT INTO referred SELECT n FROM ${flavor.numbers(1, REFERRED_ROWS)} AS numbers`,
  ]
  const children = `CREATE TABLE children (id int AUTO_INCREMENT PRIMARY KEY, t1_id int NOT NULL,
    FOREIGN KEY (t1_id) REFERENCES t1 (id) ON DELETE CASCADE) ENGINE = InnoDB`
  const referring = [
    `CREATE TABLE referring (id int AUTO_INCREMENT PRIMARY KEY, t1_id int,
    FOREIGN KEY (t1_id) REFERENCES t1 (id)) ENGINE = InnoDB`,
    `INSERT INTO referring (t1_id) SELECT NULL FROM ${flavor.numbers(1, REFERRING_ROWS)} AS numbers`,
  ]
  return [
    ...(shape.outgoing === 'none' ? [] : referred),
    ...benchTables(shape).flatMap((table) => createTable(table, shape)),
    ...(shape.children ? [children] : []),
    ...(shape.incoming === 'none' ? [] : referring),
  ]
}

function fillTables(flavor: FlavorBenchSql, shape: Shape, from: number, to: number): string[] {
  // Explicit keys: AUTO_INCREMENT would leave gaps between two statements.
  const values = `n, NULLIF(n % ${REFERRED_ROWS}, 0), n DIV 10, n % 1000, n % 10007 * 7919 % 10007, -n, n, ${TEXT[shape.width]}`
  // Without ORDER BY, MySQL generates them in the order of a hash join.
  const numbers = `${flavor.numbers(from, to)} AS numbers ORDER BY n`
  return [
    ...benchTables(shape).map(
      (table) =>
        `INSERT INTO ${table} (id, parent, ${INDEXED.join(', ')}, label) SELECT ${values} FROM ${numbers}`,
    ),
    ...(shape.children ? [`INSERT INTO children (id, t1_id) SELECT n, n FROM ${numbers}`] : []),
  ]
}

const emptyTables: BenchDialect['empty'] = (method, shape) => {
  const tables = benchTables(shape)
  const deletes = tables.map((table) => `DELETE FROM ${table}`)
  const isReferredTo = shape.incoming !== 'none' || shape.children
  switch (method) {
    case 'delete':
      return deletes
    case 'delete-restart':
      return [...deletes, ...tables.map((table) => `ALTER TABLE ${table} AUTO_INCREMENT = 1`)]
    case 'truncate':
      return isReferredTo ? unchecked([...tables, ...childrenOf(shape)].map(truncate)) : tables.map(truncate)
    case 'drop-create':
      return isReferredTo
        ? undefined
        : tables.flatMap((table) => [`DROP TABLE ${table}`, ...createTable(table, shape)])
    case 'swap':
      // CREATE TABLE … LIKE copies neither foreign keys nor triggers.
      if (isReferredTo || shape.outgoing !== 'none' || shape.trigger) return undefined
      return tables.flatMap((table) => [
        `CREATE TABLE empty_copy LIKE ${table}`,
        `RENAME TABLE ${table} TO old, empty_copy TO ${table}`,
        'DROP TABLE old',
      ])
    // TRUNCATE always restarts the counter, and has no CASCADE.
    case 'truncate-restart':
    case 'truncate-cascade':
    case 'delete-rows':
      return undefined
  }
}

function createTable(table: string, shape: Shape): string[] {
  const columns = [
    'id int AUTO_INCREMENT PRIMARY KEY',
    'parent int',
    ...INDEXED.map((name) => `${name} int`),
    'label mediumtext',
    ...INDEXES.slice(0, shape.indexes).map((names) => `KEY (${names.join(', ')})`),
    ...(shape.outgoing === 'none' ? [] : ['FOREIGN KEY (parent) REFERENCES referred (id)']),
  ].join(', ')
  const partitions = shape.partitions === 0 ? '' : ` PARTITION BY HASH (id) PARTITIONS ${shape.partitions}`
  return [
    `CREATE TABLE ${table} (${columns}) ENGINE = InnoDB${partitions}`,
    ...(shape.trigger
      ? [`CREATE TRIGGER nothing_${table} AFTER DELETE ON ${table} FOR EACH ROW SET @nothing = OLD.id`]
      : []),
  ]
}

const childrenOf = ({ children }: Shape) => (children ? ['children'] : [])
const truncate = (table: string) => `TRUNCATE TABLE ${table}`

function unchecked(statements: readonly string[]): string[] {
  return ['SET foreign_key_checks = 0', ...statements, 'SET foreign_key_checks = 1']
}
