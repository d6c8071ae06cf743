import type { Costs } from '../../plan/cost.ts'
import type { Connection } from '../connection.ts'
import type { CostMeter, MeasurementBudget } from '../costs.ts'
import { quartilesOf } from '../interleaved-timing.ts'
import { readCatalog } from './catalog.ts'
import { ANYBODY_WRITES } from './detect.ts'

/**
 * PostgreSQL 18: between a container with its data in memory (80 us per file) and a server on disk (120 to
 * 500).
 */
const defaults: Costs = {
  truncate: 350,
  truncateFile: 125,
  truncateKey: 0,
  planTable: 30,
  deleteRow: 0.26,
  deleteIndexRow: 0, // DELETE leaves index entries to VACUUM
  probeRow: 6.5,
  referredRow: 0.03,
  readPage: 0.5,
  restart: 0,
  pageBytes: 8192,
}

// The `cluster_name` of afresh's own servers says whether their files are in memory.
const CONDITIONS = `SELECT pg_catalog.version() || pg_catalog.string_agg(', ' || s.name || ' ' || s.setting, '' ORDER BY s.name) AS conditions
  FROM pg_catalog.pg_settings AS s WHERE s.name IN ('block_size', 'cluster_name', 'data_checksums', 'fsync', 'full_page_writes',
    'shared_buffers', 'synchronous_commit', 'wal_compression', 'wal_level', 'wal_log_hints')`

/** A table with one file, and one with many: two points of a linear cost. */
const TABLES = `
  CREATE TABLE narrow (id int);
  CREATE TABLE broad (id int PRIMARY KEY, a int, b int, label text);
  CREATE INDEX ON broad (a);
  CREATE INDEX ON broad (b);
  CREATE TABLE rows (id int PRIMARY KEY, a int, label text);
  CREATE TABLE parents (id int PRIMARY KEY, a int, label text);
  CREATE TABLE children (parent int REFERENCES parents);
  CREATE INDEX ON children (parent);
  CREATE TEMP TABLE files AS SELECT oid AS relation, relfilenode AS node FROM pg_catalog.pg_class WHERE relname = 'broad'`

/** `narrow` has one file; `broad` has rows, TOAST, TOAST index, and three indexes. */
const MORE_FILES = 5

const ROWS = 2000
/** Fewer rows, which take about the same time. */
const PARENTS = 300

/**
 * Costs too small to be measured quickly. They are CPU time, like deleting a row, and are therefore expressed
 * in deleted rows.
 */
const PLAN_ROWS = 95
const REFERRED_ROWS = 0.1
const PAGE_ROWS = 2
/** The cost of TRUNCATE also grows with the number of rows, by this share of DELETE's cost. */
const CUT_SHARE = 0.2
/**
 * Factor by which a file costs more in a reset, where the removed file contains rows. Fitted to 800 random
 * cases, in memory and on disk (`npm run bench:auto`). On disk, a new file may cost up to three times as much
 * for some seconds after a checkpoint removed many files, which no earlier measurement can predict.
 */
const IN_A_RESET = 1.25

const PATH = 'SET search_path = public, pg_temp'
/** The settings of a reset. TRUNCATE waits for the WAL regardless. */
const SETTINGS = 'SET synchronous_commit = off; SET plan_cache_mode = force_generic_plan'

/** Prepared statements of a reset, which has to rebuild caches and plans after a TRUNCATE. */
const PLANS = [
  'delete_broad AS DELETE FROM broad',
  'delete_rows AS DELETE FROM rows',
  'delete_parents AS DELETE FROM parents',
  `find_files AS UPDATE files SET node = pg_catalog.pg_relation_filenode(relation)
    WHERE node IS DISTINCT FROM pg_catalog.pg_relation_filenode(relation)`,
  `find_writers AS SELECT pg_catalog.pg_stat_clear_snapshot(), ${ANYBODY_WRITES}`,
]
const AFTERWARDS = 'EXECUTE find_files; EXECUTE find_writers'

const ONE_ROW = `INSERT INTO broad VALUES (1, 1, 1, 'a')`

const TURNS = {
  single: { written: ONE_ROW, timed: 'EXECUTE delete_broad' },
  narrow: { written: 'INSERT INTO narrow VALUES (1)', timed: `TRUNCATE narrow; ${AFTERWARDS}` },
  broad: { written: ONE_ROW, timed: `TRUNCATE broad; ${AFTERWARDS}` },
  parents: { written: `INSERT INTO parents ${labelled(PARENTS)}`, timed: 'EXECUTE delete_parents' },
  rows: { written: `INSERT INTO rows ${labelled(ROWS)}`, timed: 'EXECUTE delete_rows' },
  // Prepares the next round: resets the tables, and rebuilds the plans that TRUNCATE invalidated.
  renewed: {
    written: 'SELECT 1',
    timed: `TRUNCATE rows, parents, children; INSERT INTO parents ${labelled(1)};
      EXECUTE delete_broad; EXECUTE delete_rows; EXECUTE delete_parents`,
  },
}

function labelled(rows: number): string {
  return `SELECT n, n, 'a label of a usual length' FROM generate_series(1, ${rows}) AS n`
}

/** Subtracts the cost of a DELETE of one row, because a reset commits once in any case. */
async function measure(
  connection: Connection,
  writer: Connection,
  effort: MeasurementBudget,
): Promise<Costs> {
  const plans = PLANS.map((plan) => `PREPARE ${plan}`)
  await connection.query([PATH, SETTINGS, TABLES, ...plans].join(';\n'))
  await writer.query(PATH)
  const { single, narrow, broad, rows, parents } = await quartilesOf(TURNS, { connection, writer, effort })
  const [page] = await connection.query(`SELECT pg_catalog.current_setting('block_size')::int AS bytes`)
  const file = Math.max(1, (broad - narrow) / MORE_FILES)
  // A nonsensical value, measured on a busy machine, would be stored.
  const row = rows > single ? (rows - single) / ROWS : defaults.deleteRow
  return {
    truncate: Math.max(0, narrow - file - single),
    truncateFile: IN_A_RESET * file,
    truncateKey: 0,
    planTable: PLAN_ROWS * row,
    deleteRow: (1 - CUT_SHARE) * row,
    deleteIndexRow: 0,
    probeRow: Math.max(0, (parents - single) / PARENTS - row),
    referredRow: REFERRED_ROWS * row,
    readPage: PAGE_ROWS * row,
    restart: 0,
    pageBytes: Number(page?.bytes),
  }
}

export const costs: CostMeter = {
  defaults,
  measure,
  async conditions(connection) {
    const [row] = await readCatalog(connection, CONDITIONS)
    return String(row?.conditions)
  },
}
