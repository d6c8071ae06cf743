import type { Plan } from '../../plan/plan.ts'
import { WATCHED_CATALOGS } from './catalog-hash.ts'
import { ANYBODY_WRITES } from './detect.ts'
import { AS_LEAVES } from './leaf-statements.ts'
import { AS_BLOCKS } from './repair.ts'
import { type Readable, watchedRelations } from './wal-reader.ts'

/**
 * The `wal` detector: PostgreSQL's write-ahead log names the file and block of every change since the last
 * reset, by any session. The cost depends on the amount of change, not on the size of the schema.
 */

/** The current file of each watched relation (`filenode`), and the subject that the relation is part of. */
const FILES = 'pg_temp.afresh_files'

/** Subjects of files of no user table: catalogs that a schema change writes to, and large objects. */
const CATALOG = 1
const OBJECTS = 2

export const DROP_FILES = `DROP TABLE IF EXISTS ${FILES}`

/**
 * Only flushed WAL can be read, and commits with `synchronous_commit = off` postpone the flush. Before 17
 * only a commit flushes, so one is sent ahead in the same message.
 */
export const FLUSH_AHEAD = `BEGIN; SET LOCAL synchronous_commit = on;
  SELECT pg_catalog.pg_logical_emit_message(true, '', ''); COMMIT; `

/** The files of relations with rows or positions, and of those whose writes indicate other changes. */
export function fileTables(plan: Plan): string[] {
  return [
    `CREATE TEMP TABLE afresh_files (filenode oid, relation oid, subject oid, populated boolean)`,
    findFiles(plan),
    `CREATE INDEX ON ${FILES} (filenode)`,
    `ANALYZE ${FILES}`,
    // No start position yet: the first search scans the tables.
    `SELECT pg_catalog.set_config('afresh.since', '', false), pg_catalog.set_config('afresh.own', '0', false)`,
  ]
}

/** Reads the current filenodes. */
function findFiles(plan: Plan): string {
  return `INSERT INTO ${FILES} SELECT pg_catalog.pg_relation_filenode(w.id), w.id, w.subject, w.populated FROM (${watchedRelations(plan)}
      UNION ALL SELECT ('pg_catalog.' || c.name)::regclass, ${CATALOG}, false
        FROM unnest(ARRAY['${WATCHED_CATALOGS.join("', '")}']) AS c(name)
      UNION ALL SELECT o.id, ${OBJECTS}, false
        FROM unnest(ARRAY['pg_catalog.pg_largeobject_metadata', 'pg_catalog.pg_largeobject']::regclass[]) AS o(id)) AS w`
}

/** Records that change no row: locks, hints, pruning, freezing, and in-place statistics of ANALYZE. */
const IGNORED_RECORDS = [
  'LOCK',
  'LOCK_UPDATED',
  'INPLACE',
  'FPI_FOR_HINT',
  'VISIBLE',
  'FREEZE_PAGE',
  'PRUNE',
  'PRUNE_ON_ACCESS',
  'PRUNE_VACUUM_SCAN',
  'PRUNE_VACUUM_CLEANUP',
  'VACUUM',
]

/**
 * PL/pgSQL that finds the end of the readable WAL (`upto`): commits with `synchronous_commit = off` postpone
 * the flush. The flush position may lie within a record, which neither this window nor the next would
 * contain. The insert position and the end of a message are record boundaries.
 */
export function findEnd(flushes: boolean): string {
  return `before := pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot());
    upto := pg_catalog.pg_current_wal_insert_lsn();
    ${
      flushes
        ? `IF ${IS_UNFLUSHED} THEN
      upto := pg_catalog.pg_logical_emit_message(false, '', '', true);
    END IF;`
        : ''
    }`
}

/**
 * Before 17, another session may have written after the commit that was sent ahead, and cannot be made to
 * flush.
 */
export const IS_UNFLUSHED = 'upto > pg_catalog.pg_current_wal_flush_lsn()'

/**
 * PL/pgSQL that reads the WAL from `since` to `upto`. `touched`: the subjects that it names. `special`: the
 * lowest of them, which is a special subject if one was written. `blocks`: those of populated tables. `leaves`:
 * the partitions that were written.
 * Excludes the last reset's own records by their transaction id. Records without a transaction are
 * maintenance, except for sequences: inside a savepoint they are advanced on behalf of the outer transaction,
 * and the record has no id. Shared catalogs have the database 0; no user table gets the numbers of their
 * files.
 */
export function readJournal({ database, populated, partitioned }: Readable): string {
  // Needed for baseline rows only: in a table with an empty baseline, all rows are deleted anyway.
  const harmful = `AND b.record_type <> ALL ('{${IGNORED_RECORDS.join(',')}}')`
  return `SELECT array_agg(DISTINCT f.subject), min(f.subject)${populated ? `, ${AS_BLOCKS}` : ''}${partitioned ? `, ${AS_LEAVES}` : ''}
        INTO touched, special${populated ? ', blocks' : ''}${partitioned ? ', leaves' : ''}
        FROM (SELECT b.relfilenode AS filenode${populated ? ', b.relblocknumber AS block' : ''}
          FROM pg_temp.afresh_wal(since, upto, false) AS b WHERE b.relforknumber = 0 AND b.reldatabase IN (${database}, 0)
            AND CASE b.xid WHEN '0' THEN b.resource_manager = 'Sequence'
              ELSE b.xid <> pg_catalog.current_setting('afresh.own')::xid END ${populated ? harmful : ''}
          GROUP BY ${populated ? '1, 2' : '1'} OFFSET 0) AS x
        JOIN ${FILES} AS f ON f.filenode = x.filenode;`
}

/**
 * PL/pgSQL: `writing`, whether a session that wrote before `upto` has not ended its transaction. None has if
 * all transactions with a lower id than this one's had ended `before`; otherwise the sessions are checked.
 */
export const FIND_OPEN_WRITERS = `writing := waited IS TRUE OR before <> pg_catalog.pg_current_xact_id();
      IF writing THEN
        writing := ${ANYBODY_WRITES};
      END IF;`

/** Conditions on `special`, for `findDirty`. */
export const IS_SPECIAL = `special <= ${OBJECTS}`
export const IS_CATALOG = `special = ${CATALOG}`

/** An array of the subjects whose current filenode, from the catalog, differs from the recorded one. */
function subjectsMoved(condition: string): string {
  return `ARRAY(SELECT DISTINCT f.subject FROM ${FILES} AS f
      WHERE ${condition} AND f.filenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(f.relation))`
}

/**
 * PL/pgSQL for changes without row records. TRUNCATE, CLUSTER and rewrites give a relation a new file, which
 * only the catalog shows; block numbers of the old file are then invalid. Rows of a partition that the plan
 * does not know are found by a scan only.
 */
export const DETECT_REWRITES = `IF reason IS NULL THEN
      rewritten := ${subjectsMoved(`f.subject > ${OBJECTS}`)};
      IF stale OR cardinality(rewritten) > 0 THEN
        blocks := NULL;
      END IF;
      IF stale THEN
        reason := 'changed';
        leaves := NULL;
        touched := pg_temp.afresh_scan();
      ELSE
        touched := touched || rewritten;
      END IF;
    END IF;`

/**
 * PL/pgSQL: after a scan, adds populated tables with a new file, where the recorded row locations may belong
 * to other rows. The scan sees the same versions at the same locations, and finds nothing to restore.
 */
export const FOLLOW_REWRITTEN = `IF reason IS NOT NULL THEN
    touched := touched || ${subjectsMoved('f.populated AND f.subject <> ALL (touched)')};
  END IF;`

/**
 * PL/pgSQL that runs after steps that gave a relation a new file, and after a scan, which does not show what
 * a test rewrote. Records the files only of relations that were searched or restored, which no other session
 * can have rewritten since, of those that a TRUNCATE of this reset included, and of catalogs. What another
 * session rewrites later stays unrecorded, for the next reset to find.
 */
export const REFRESH_FILENODES = `UPDATE ${FILES} AS f SET filenode = pg_catalog.pg_relation_filenode(f.relation)
    WHERE f.filenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(f.relation)
      AND (reason IS NOT NULL OR f.subject = ANY (touched) OR f.subject <= ${OBJECTS} OR EXISTS (
        SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = f.relation AND c.xmin = pg_catalog.pg_current_xact_id()::xid));`

/** The WAL that a reset may write before the next one skips it, in bytes. */
const MIN_SKIP_BYTES = 4096

/**
 * PL/pgSQL that lets the next reset skip the WAL that this one wrote, if that is more than `MIN_SKIP_BYTES`
 * and no other session can have written meanwhile.
 */
export const ADVANCE_PAST_OWN = `IF pg_catalog.pg_current_wal_insert_lsn() - upto > ${MIN_SKIP_BYTES} AND writing IS NOT TRUE THEN
    skipped := pg_catalog.pg_current_wal_insert_lsn();
    PERFORM pg_catalog.pg_stat_clear_snapshot();
    -- All earlier transactions had ended before. In this order, and as two statements, since the snapshot is the statement's:
    -- a later one that was at it is seen at work, or has ended by then, which none has.
    IF before = pg_catalog.pg_current_xact_id() AND NOT ${ANYBODY_WRITES} THEN
      IF pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()) = pg_catalog.pg_current_xact_id() THEN
        upto := skipped;
      END IF;
    END IF;
  END IF;`

/**
 * An expression that records where the next search begins. What an open transaction wrote may be committed
 * later, and a schema change persists until it is undone; in both cases the next search begins where this one
 * did.
 */
export const SAVE_LSN = `pg_catalog.set_config('afresh.since', CASE WHEN writing OR stale THEN since ELSE upto END::text, false),
    'own', pg_catalog.set_config('afresh.own', coalesce(pg_catalog.pg_current_xact_id_if_assigned()::xid::text, '0'), false)`

/** A scan that is cheaper only from here on takes 30 ms: two measurements are enough. */
const STEADY_BYTES = 9e6

/**
 * Measures from how many bytes a scan is cheaper, as the best of three timed scans. Between tests a scan
 * takes some three times as long, because other data is in the CPU caches; the WAL then takes 10 to 17 ns per
 * byte.
 */
export const MEASURE_SCAN = `DO $$ DECLARE began timestamptz; best double precision := 'infinity'; BEGIN
  FOR i IN 1 .. 3 LOOP
    began := pg_catalog.clock_timestamp();
    PERFORM pg_temp.afresh_find_dirty();
    best := least(best, extract(epoch FROM pg_catalog.clock_timestamp() - began) * 3e8);
    EXIT WHEN i = 2 AND best > ${STEADY_BYTES};
  END LOOP;
  PERFORM pg_catalog.set_config('afresh.break_even_bytes', greatest(best, ${MIN_SKIP_BYTES})::bigint::text, false);
END $$; SELECT pg_catalog.current_setting('afresh.break_even_bytes') AS break_even_bytes`
