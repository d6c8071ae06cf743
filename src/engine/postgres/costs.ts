import type { Costs } from '../../plan/cost.ts'
import type { Connection, CostMeter } from '../engine.ts'

/** PostgreSQL 18: between a container with its data in memory (40 a file) and a server on a disk (120 to 240). */
const defaults: Costs = {
  truncate: 0,
  truncateFile: 100,
  deletePage: 28,
  deleteIndexPage: 0, // an index learns of deleted rows from VACUUM
  probePage: 600,
  deadPage: 0.3,
  restart: 0,
  pageBytes: 8192,
}

const CONDITIONS = `SELECT pg_catalog.version() || pg_catalog.string_agg(', ' || s.name || ' ' || s.setting, '' ORDER BY s.name) AS conditions
  FROM pg_catalog.pg_settings AS s WHERE s.name IN ('block_size', 'data_checksums', 'fsync', 'full_page_writes',
    'shared_buffers', 'synchronous_commit', 'wal_compression', 'wal_level', 'wal_log_hints')`

/** One file, and many: two points of a straight line. */
const TABLES = `
  SET search_path = public;
  CREATE TABLE narrow (id int);
  CREATE TABLE broad (id int PRIMARY KEY, a int, b int, label text);
  CREATE INDEX ON broad (a);
  CREATE INDEX ON broad (b);
  CREATE TABLE rows (id int PRIMARY KEY, a int, label text);
  CREATE TABLE parents (id int PRIMARY KEY, a int, label text);
  CREATE TABLE children (parent int REFERENCES parents);
  CREATE INDEX ON children (parent)`

/** `narrow` has one file; `broad` has rows, TOAST, TOAST index, and three indexes. */
const MORE_FILES = 5

const ROWS = 2500
/** Fewer, for the same time. */
const PARENTS = 500

/**
 * By the server's own clock, within one statement that commits as it goes. A reset commits once, whatever it does, so
 * the COMMIT is part of no page, and TRUNCATE counts for what it takes beyond that of one row. The least of several times is the one that
 * nobody else disturbed.
 */
const MEASURE = `DO $measure$
DECLARE
  began timestamptz;
  pages float;
  one float := 1e9; narrow float := 1e9; broad float := 1e9; rows float := 1e9; dead float := 1e9; parents float := 1e9;
BEGIN
  FOR i IN 1 .. 6 LOOP
    INSERT INTO narrow VALUES (1);
    INSERT INTO broad VALUES (1, 1, 1, 'a');
    COMMIT;
    began := clock_timestamp();
    DELETE FROM broad; COMMIT;
    one := least(one, extract(epoch FROM clock_timestamp() - began) * 1e6);
    began := clock_timestamp();
    TRUNCATE narrow; COMMIT;
    narrow := least(narrow, extract(epoch FROM clock_timestamp() - began) * 1e6);
    INSERT INTO broad VALUES (1, 1, 1, 'a');
    COMMIT;
    began := clock_timestamp();
    TRUNCATE broad; COMMIT;
    broad := least(broad, extract(epoch FROM clock_timestamp() - began) * 1e6);
  END LOOP;
  FOR i IN 1 .. 6 LOOP
    INSERT INTO parents SELECT n, n, 'a label of a usual length' FROM generate_series(1, ${PARENTS}) AS n;
    COMMIT;
    pages := pg_catalog.pg_relation_size('parents') / current_setting('block_size')::float;
    began := clock_timestamp();
    DELETE FROM parents;
    parents := least(parents, extract(epoch FROM clock_timestamp() - began) * 1e6 / pages);
    COMMIT;
    TRUNCATE parents, children;
    COMMIT;
  END LOOP;
  FOR i IN 1 .. 4 LOOP
    INSERT INTO rows SELECT n, n, 'a label of a usual length' FROM generate_series(1, ${ROWS}) AS n;
    COMMIT;
    pages := pg_catalog.pg_relation_size('rows') / current_setting('block_size')::float;
    began := clock_timestamp();
    DELETE FROM rows;
    rows := least(rows, extract(epoch FROM clock_timestamp() - began) * 1e6 / pages);
    COMMIT;
    -- The first to read them tidies them up.
    FOR j IN 1 .. 3 LOOP
      began := clock_timestamp();
      DELETE FROM rows;
      dead := least(dead, extract(epoch FROM clock_timestamp() - began) * 1e6 / pages);
    END LOOP;
    TRUNCATE rows;
    COMMIT;
  END LOOP;
  PERFORM set_config('afresh.costs', json_build_object('one', one, 'narrow', narrow, 'broad', broad,
    'rows', rows, 'dead', dead, 'parents', parents, 'block', current_setting('block_size')::int)::text, false);
END $measure$`

async function measure(connection: Connection): Promise<Costs> {
  await connection.query(TABLES)
  await connection.query(MEASURE)
  const [row] = await connection.query(`SELECT pg_catalog.current_setting('afresh.costs') AS costs`)
  const { one, narrow, broad, rows, dead, parents, block } = JSON.parse(String(row?.costs)) as Times
  const truncateFile = Math.max(1, (broad - narrow) / MORE_FILES)
  return {
    truncate: Math.max(0, narrow - truncateFile - one),
    truncateFile,
    deletePage: rows,
    deleteIndexPage: 0,
    probePage: Math.max(0, parents - rows),
    deadPage: dead,
    restart: 0,
    pageBytes: block,
  }
}

/** In microseconds. */
interface Times {
  readonly one: number
  readonly narrow: number
  readonly broad: number
  readonly rows: number
  readonly dead: number
  readonly parents: number
  readonly block: number
}

export const costs: CostMeter = {
  defaults,
  measure,
  async conditions(connection) {
    const [row] = await connection.query(CONDITIONS)
    return String(row?.conditions)
  },
}
