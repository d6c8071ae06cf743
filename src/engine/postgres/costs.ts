import type { Costs } from '../../plan/cost.ts'
import type { CostMeter } from '../engine.ts'

/** PostgreSQL 18: between a container with its data in memory (70 a file) and a server on a disk (120 to 400). */
const defaults: Costs = {
  truncate: 300,
  truncateFile: 100,
  planTable: 12,
  deleteRow: 0.3,
  deleteIndexRow: 0, // an index learns of deleted rows from VACUUM
  probeRow: 6.5,
  referredRow: 0.1,
  readPage: 0.5,
  restart: 0,
  pageBytes: 8192,
}

const CONDITIONS = `SELECT pg_catalog.version() || pg_catalog.string_agg(', ' || s.name || ' ' || s.setting, '' ORDER BY s.name) AS conditions
  FROM pg_catalog.pg_settings AS s WHERE s.name IN ('block_size', 'data_checksums', 'fsync', 'full_page_writes',
    'shared_buffers', 'synchronous_commit', 'wal_compression', 'wal_level', 'wal_log_hints')`

const COLUMNS = 'id int PRIMARY KEY, a int, b int, c int'

/** A heap and a key; or the TOAST of a text, and three indexes, besides. */
const TABLES = [
  'SET search_path = public',
  ...['deleted', 'cut'].flatMap((how) => [
    `CREATE TABLE plain_${how} (${COLUMNS}, label varchar(40))`,
    `CREATE TABLE broad_${how} (${COLUMNS}, label text)`,
    ...['a', 'b', 'c'].map((column) => `CREATE INDEX ON broad_${how} (${column})`),
  ]),
  'CREATE TABLE filler (id int, label varchar(100))',
  'CREATE TABLE parents (id int PRIMARY KEY)',
  'CREATE TABLE children (parent int REFERENCES parents)',
  'CREATE INDEX ON children (parent)',
]

const PROBED_ROWS = 100

/** Rows in no order, as most columns are. */
function fill(table: string, rows: number): string {
  return `INSERT INTO public.${table} SELECT n, n * 7919 % 1009, n * 104729 % 1013, n, 'a label of a usual length' FROM generate_series(1, ${rows}) AS n`
}

export const costs: CostMeter = {
  defaults,
  tables: TABLES,
  counts: false,
  fill,
  // So much in the journal that all tables are looked at, as after many rows.
  between: [`INSERT INTO public.filler SELECT n, repeat('x', 100) FROM generate_series(1, 300) AS n`],
  probe: {
    rows: PROBED_ROWS,
    fill: (rows) => `INSERT INTO public.parents SELECT n FROM generate_series(1, ${rows}) AS n`,
    empty: 'DELETE FROM public.parents',
  },
  byRow: (deleteRow) => ({
    planTable: 40 * deleteRow,
    referredRow: 0.3 * deleteRow,
    readPage: 2 * deleteRow,
  }),
  async conditions(connection) {
    const [row] = await connection.query(CONDITIONS)
    return String(row?.conditions)
  },
}
