import { codeOf } from '../../errors.ts'
import type { Plan } from '../../plan/plan.ts'
import type { SubjectId } from '../../schema/schema.ts'
import type { Connection } from '../engine.ts'
import { WRITERS } from './detect.ts'
import { literal } from './quote.ts'

/**
 * The `wal` detector: PostgreSQL's own journal names the file of every block that was changed since the last reset,
 * whoever changed it, for what the change cost and not for what the schema holds.
 */

/** Where each watched relation's rows lie (`node`), and what it is a part of. */
const FILES = 'pg_temp.afresh_files'
const PROBES = 'pg_temp.afresh_probes'

/**
 * `pg_get_wal_block_info` of the contrib module pg_walinspect 1.1 (PostgreSQL 16), declared in the session alone:
 * CREATE EXTENSION would leave its functions in the user's schemas.
 * https://www.postgresql.org/docs/current/pgwalinspect.html
 */
const READER = `CREATE FUNCTION pg_temp.afresh_wal(IN from_lsn pg_lsn, IN to_lsn pg_lsn, IN show_data boolean,
  OUT start_lsn pg_lsn, OUT end_lsn pg_lsn, OUT prev_lsn pg_lsn, OUT block_id int2, OUT reltablespace oid,
  OUT reldatabase oid, OUT relfilenode oid, OUT relforknumber int2, OUT relblocknumber int8, OUT xid xid,
  OUT resource_manager text, OUT record_type text, OUT record_length int4, OUT main_data_length int4,
  OUT block_data_length int4, OUT block_fpi_length int4, OUT block_fpi_info text[], OUT description text,
  OUT block_data bytea, OUT block_fpi_data bytea)
  RETURNS SETOF record LANGUAGE c STRICT AS '$libdir/pg_walinspect', 'pg_get_wal_block_info'`

export const DROP_JOURNAL_TABLES = `DROP TABLE IF EXISTS ${FILES}, ${PROBES}`
const DROP_READER = `DROP FUNCTION IF EXISTS pg_temp.afresh_wal(pg_lsn, pg_lsn, boolean)`

/**
 * Whether this session can read the journal; leaves the reader declared. Declaring a C function takes a superuser,
 * `wal_level = minimal` leaves bulk loads out, and before 17 nothing but a commit flushes what another session wrote
 * with `synchronous_commit = off`. On a client of the user's it would have to be declared for each reset.
 */
export async function canReadJournal(connection: Connection): Promise<boolean> {
  if (!connection.owned) return false
  const [row] = await connection.query(`SELECT pg_catalog.current_setting('is_superuser') = 'on'
    AND pg_catalog.current_setting('wal_level') <> 'minimal'
    AND pg_catalog.current_setting('server_version_num')::int >= 170000 AS possible`)
  if (row?.possible !== true) return false
  try {
    await connection.query(`${DROP_READER}; ${READER}`)
    return true
  } catch (error) {
    if (codeOf(error) === '58P01') return false // undefined_file: the server came without its contrib modules
    throw error
  }
}

/** From this many bytes a table on, looking at every table is cheaper than reading the journal. */
const SCAN_ABOVE_BYTES_PER_TABLE = 1024

/** A small schema is no reason to give up the journal at once: this many bytes take less than a millisecond. */
const SCAN_ABOVE_BYTES = 32 * 1024

/** The files of the relations that hold rows or positions, and the probe of each. Unlogged ones leave no trace. */
export function journalTables(plan: Plan, probes: ReadonlyMap<SubjectId, string>): string[] {
  return [
    `CREATE TEMP TABLE afresh_files (node oid, relation oid, subject bigint)`,
    `CREATE TEMP TABLE afresh_probes (subject bigint PRIMARY KEY, sql text, unlogged boolean)`,
    ...[...probes].map(([id, sql]) => `INSERT INTO ${PROBES} VALUES (${id}, ${literal(sql)}, false)`),
    ...findFiles(plan),
    `CREATE INDEX ON ${FILES} (node)`,
    `ANALYZE ${FILES}`,
    // No window yet: the first look is at the tables themselves.
    `SELECT pg_catalog.set_config('afresh.since', '', false), pg_catalog.set_config('afresh.own', '0', false)`,
  ]
}

/** Where everything lies now, partitions that are new included. */
function findFiles(plan: Plan): string[] {
  return [
    `DELETE FROM ${FILES}`,
    `INSERT INTO ${FILES} SELECT pg_catalog.pg_relation_filenode(coalesce(p.relid, t.id)), coalesce(p.relid, t.id), t.id
      FROM unnest(${idArray(plan.order.flat())}::oid[]) AS t(id)
      LEFT JOIN LATERAL pg_catalog.pg_partition_tree(t.id) AS p ON p.isleaf`,
    `INSERT INTO ${FILES} SELECT pg_catalog.pg_relation_filenode(s.id), s.id, s.id
      FROM unnest(${idArray(plan.sequences)}::oid[]) AS s(id)`,
    `UPDATE ${PROBES} AS p SET unlogged = NOT p.unlogged WHERE p.unlogged <> EXISTS (SELECT FROM ${FILES} AS f
      JOIN pg_catalog.pg_class AS c ON c.oid = f.relation WHERE f.subject = p.subject AND c.relpersistence <> 'p')`,
  ]
}

function idArray(ids: readonly string[]): string {
  return `ARRAY[${ids.join(', ')}]`
}

/** Transactions of this database that were prepared for a two-phase commit: they belong to no session. */
const PREPARED = `pg_catalog.pg_prepared_xact() AS x
  WHERE x.dbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())`

/**
 * PL/pgSQL that finds what is dirty, into `dirty`, and says in `how` whether the journal told. `upto` is where the
 * next window begins: not behind the first record of a transaction that is open now, since it may commit afterwards.
 * What the last reset wrote itself is told apart by its transaction, and what belongs to none is upkeep.
 *
 * The journal only says where to look: a reader's pruning or a rolled back INSERT leaves records too, so what it
 * names is probed as a scan would.
 */
export function readJournal(plan: Plan): string {
  const limit = Math.max(SCAN_ABOVE_BYTES, SCAN_ABOVE_BYTES_PER_TABLE * plan.order.flat().length)
  return `
  upto := pg_catalog.pg_current_wal_insert_lsn();
  IF upto > pg_catalog.pg_current_wal_flush_lsn() THEN
    -- Only what is flushed can be read, and commits with synchronous_commit = off leave that for later.
    PERFORM pg_catalog.pg_logical_emit_message(false, '', '', true);
  END IF;
  IF since IS NULL THEN
    how := 'scan'; why := 'the first look';
  ELSIF forced = 'auto' AND upto - since > ${limit} THEN
    how := 'scan'; why := 'the journal has grown too long to be read';
  ELSIF upto > since THEN
    BEGIN
      SELECT array_agg(DISTINCT b.relfilenode) INTO touched FROM pg_temp.afresh_wal(since, upto, false) AS b
      WHERE b.relforknumber = 0 AND b.xid <> '0' AND b.xid <> pg_catalog.current_setting('afresh.own')::xid
        AND b.reldatabase = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database());
    EXCEPTION WHEN OTHERS THEN
      how := 'scan'; why := 'the journal was recycled';
    END;
  END IF;
  PERFORM pg_catalog.pg_stat_clear_snapshot(); -- or the sessions were those of the look before
  IF EXISTS (SELECT FROM ${WRITERS}) OR EXISTS (SELECT FROM ${PREPARED}) THEN
    upto := since;
  END IF;
  IF pg_catalog.pg_relation_filenode('pg_catalog.pg_class') = ANY (touched) THEN
    -- TRUNCATE, CLUSTER and rewrites give a relation a new file, and a new partition has one: the catalog says so only.
    how := 'scan'; why := 'the catalog has changed';
  END IF;
  IF how = 'wal' THEN
    SELECT string_agg(p.sql, ' UNION ALL ') INTO probe FROM ${PROBES} AS p
    WHERE p.unlogged OR p.subject IN (SELECT f.subject FROM ${FILES} AS f WHERE f.node = ANY (touched));
    IF probe IS NOT NULL THEN
      EXECUTE 'SELECT ARRAY(' || probe || ')' INTO dirty;
    END IF;
  END IF;`
}

/** After the steps, some of which give a relation a new file; and a scan does not tell what a test has moved. */
export function closeWindow(plan: Plan): string {
  return `
  IF found.how = 'scan' OR moved THEN
    ${findFiles(plan).join(';\n    ')};
  END IF;
  PERFORM pg_catalog.set_config('afresh.since', found.upto::text, false),
    pg_catalog.set_config('afresh.own', coalesce(pg_catalog.pg_current_xact_id_if_assigned()::xid::text, '0'), false);`
}
