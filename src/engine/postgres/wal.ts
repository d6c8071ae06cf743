import type { Plan } from '../../plan/plan.ts'
import { WATCHED_CATALOGS } from './definitions.ts'
import { ANYBODY_WRITES } from './detect.ts'
import { AS_BLOCKS } from './repair.ts'
import { type Readable, watchedRelations } from './wal-reader.ts'

/**
 * The `wal` detector: PostgreSQL's own journal names the file and block of every change since the last reset, whoever
 * made it, for what the change cost and not for what the schema holds.
 */

/** Where the rows of each watched relation lie (`filenode`), and what it is a part of. */
const FILES = 'pg_temp.afresh_files'

/** Subjects of files that are nobody's table: catalogs that a change of the schema writes to, and large objects. */
const CATALOG = 1
const OBJECTS = 2

export const DROP_FILES = `DROP TABLE IF EXISTS ${FILES}`

/**
 * Only what is flushed can be read, and commits with `synchronous_commit = off` leave that for later. Before 17
 * nothing but a commit flushes: it is sent ahead in the same message.
 */
export const FLUSH_AHEAD = `BEGIN; SET LOCAL synchronous_commit = on;
  SELECT pg_catalog.pg_logical_emit_message(true, '', ''); COMMIT; `

/** The files of the relations that hold rows or positions, and of what tells that something else happened. */
export function fileTables(plan: Plan): string[] {
  return [
    `CREATE TEMP TABLE afresh_files (filenode oid, relation oid, subject oid, populated boolean)`,
    findFiles(plan),
    `CREATE INDEX ON ${FILES} (filenode)`,
    `ANALYZE ${FILES}`,
    // No window yet: the first look is at the tables themselves.
    `SELECT pg_catalog.set_config('afresh.since', '', false), pg_catalog.set_config('afresh.own', '0', false)`,
  ]
}

/** Where everything lies now. */
function findFiles(plan: Plan): string {
  return `INSERT INTO ${FILES} SELECT pg_catalog.pg_relation_filenode(w.id), w.id, w.subject, w.populated FROM (${watchedRelations(plan)}
      UNION ALL SELECT ('pg_catalog.' || c.name)::regclass, ${CATALOG}, false
        FROM unnest(ARRAY['${WATCHED_CATALOGS.join("', '")}']) AS c(name)
      UNION ALL SELECT o.id, ${OBJECTS}, false
        FROM unnest(ARRAY['pg_catalog.pg_largeobject_metadata', 'pg_catalog.pg_largeobject']::regclass[]) AS o(id)) AS w`
}

/** Records that change no row: locks, hints, pruning, freezing, and the statistics that ANALYZE writes in place. */
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
 * PL/pgSQL that finds where the journal ends that can be read (`upto`): only what is flushed, and `synchronous_commit = off`
 * leaves that for later. What is flushed may end within a record, which neither this window nor the next would
 * name; where records are inserted and messages end, one record ends.
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

/** Before 17, somebody may have written since the commit that was sent ahead: nobody can make that be flushed. */
export const IS_UNFLUSHED = 'upto > pg_catalog.pg_current_wal_flush_lsn()'

/**
 * PL/pgSQL that reads the journal from `since` to `upto`: `touched` are the subjects that it names, `special` is above no
 * special subject that was written, and `blocks` are those of populated tables. What the last reset wrote is told apart
 * by its transaction. What belongs to none is upkeep, but for sequences: inside a savepoint they are moved in the name of
 * the transaction around it, and the record has none. Catalogs that all databases share have the database 0; their files
 * have numbers that no table of a user's gets.
 */
export function readJournal({ database, populated }: Readable): string {
  // Rows of a table that is to be empty are to go, whatever happened to them.
  const harmful = `AND b.record_type <> ALL ('{${IGNORED_RECORDS.join(',')}}')`
  return `SELECT array_agg(DISTINCT f.subject), min(f.subject)${populated ? `, ${AS_BLOCKS}` : ''}
        INTO touched, special${populated ? ', blocks' : ''}
        FROM (SELECT b.relfilenode AS filenode${populated ? ', b.relblocknumber AS block' : ''}
          FROM pg_temp.afresh_wal(since, upto, false) AS b WHERE b.relforknumber = 0 AND b.reldatabase IN (${database}, 0)
            AND CASE b.xid WHEN '0' THEN b.resource_manager = 'Sequence'
              ELSE b.xid <> pg_catalog.current_setting('afresh.own')::xid END ${populated ? harmful : ''}
          GROUP BY ${populated ? '1, 2' : '1'} OFFSET 0) AS x
        JOIN ${FILES} AS f ON f.filenode = x.filenode;`
}

/**
 * PL/pgSQL: `writing`, whether somebody who wrote before `upto` has not ended the transaction. Nobody has, if everybody
 * with a lower number than this transaction's had ended `before`; else it takes a look at the sessions.
 */
export const FIND_OPEN_WRITERS = `writing := waited IS TRUE OR before <> pg_catalog.pg_current_xact_id();
      IF writing THEN
        writing := ${ANYBODY_WRITES};
      END IF;`

/** What `findDirty` does when `special` is written. */
export const IS_SPECIAL = `special <= ${OBJECTS}`
export const IS_CATALOG = `special = ${CATALOG}`

/** An array of the subjects that lie in another file than they did, as the catalog has it. */
function subjectsMoved(condition: string): string {
  return `ARRAY(SELECT DISTINCT f.subject FROM ${FILES} AS f
      WHERE ${condition} AND f.filenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(f.relation))`
}

/**
 * PL/pgSQL for what no record of a row tells. TRUNCATE, CLUSTER and rewrites give a relation a new file; only the
 * catalog says so, and the block numbers of the old one mean nothing then. The rows of a partition that the plan does not
 * know are found by a scan only.
 */
export const DETECT_REWRITES = `IF reason IS NULL THEN
      blocks := NULL;
      IF stale THEN
        reason := 'changed';
        touched := pg_temp.afresh_scan();
      ELSE
        touched := touched || ${subjectsMoved(`f.subject > ${OBJECTS}`)};
      END IF;
    END IF;`

/**
 * PL/pgSQL: after a scan, the noted places of baseline rows still have to be theirs in the new file, where they may be
 * in another order. A scan finds the same versions at the same places, and nothing to put right.
 */
export const FOLLOW_REWRITTEN = `IF reason IS NOT NULL THEN
    touched := touched || ${subjectsMoved('f.populated AND f.subject <> ALL (touched)')};
  END IF;`

/**
 * PL/pgSQL after steps that gave a relation a new file, and after a scan, which does not tell what a test has moved. What
 * somebody else moves after the look stays unknown, for the next reset to find: noted are only the files of relations that
 * were looked at or put right, so that nobody could move them since, of those that a TRUNCATE of ours took along, and of
 * catalogs.
 */
export const REFRESH_FILENODES = `UPDATE ${FILES} AS f SET filenode = pg_catalog.pg_relation_filenode(f.relation)
    WHERE f.filenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(f.relation)
      AND (reason IS NOT NULL OR f.subject = ANY (touched) OR f.subject <= ${OBJECTS} OR EXISTS (
        SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = f.relation AND c.xmin = pg_catalog.pg_current_xact_id()::xid));`

/** A reset may write much, by its own measure, in bytes. */
const MIN_SKIP_BYTES = 4096

/**
 * PL/pgSQL that spares the next reset the reading of what this one wrote, where it is much and nobody else can have
 * written meanwhile.
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
 * Where the next look begins: an expression that notes it. What an open transaction has written may be committed later, and
 * a change of the schema stays until it is undone, so then it begins where this one did.
 */
export const SAVE_LSN = `pg_catalog.set_config('afresh.since', CASE WHEN writing OR stale THEN since ELSE upto END::text, false),
    'own', pg_catalog.set_config('afresh.own', coalesce(pg_catalog.pg_current_xact_id_if_assigned()::xid::text, '0'), false)`

/**
 * From how many bytes on a scan is cheaper: it is timed, the best of three. Between tests it takes some three times as
 * long, with other things in the processor's caches; the journal takes 10 to 17 ns a byte then.
 */
export const MEASURE_SCAN = `DO $$ DECLARE began timestamptz; best double precision := 'infinity'; BEGIN
  FOR i IN 1 .. 3 LOOP
    began := pg_catalog.clock_timestamp();
    PERFORM pg_temp.afresh_scan();
    best := least(best, extract(epoch FROM pg_catalog.clock_timestamp() - began) * 3e8);
  END LOOP;
  PERFORM pg_catalog.set_config('afresh.break_even_bytes', greatest(best, ${MIN_SKIP_BYTES})::bigint::text, false);
END $$; SELECT pg_catalog.current_setting('afresh.break_even_bytes') AS break_even_bytes`
