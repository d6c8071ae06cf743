import type { SubjectId } from '../../schema/schema.ts'
import { IS_CHANGED } from './catalog-counts.ts'
import { CATALOG_FUNCTION } from './catalog-hash.ts'
import { scanQuery, WAIT_FOR_WRITERS } from './detect.ts'
import { IS_UNTOUCHED, STILL_UNTOUCHED } from './transaction-ids.ts'
import {
  DETECT_REWRITES,
  FIND_OPEN_WRITERS,
  findEnd,
  IS_CATALOG,
  IS_SPECIAL,
  IS_UNFLUSHED,
  readJournal,
} from './wal.ts'
import type { WalAccess } from './wal-reader.ts'

/** The texts for `reason`: why a reset scans everything. Without a reason, the WAL was read. */
export const REASONS = {
  asked: 'it was asked for',
  first: 'nothing was detected in this session before',
  long: 'the journal since the last reset is too long to be read',
  changed: 'a test changed the schema',
  unflushed: 'another session was writing to the WAL',
  lost: 'the journal since the last reset was recycled',
} as const

/** The variables of `findDirty`; the caller declares `touched` and `reason`. */
export const FIND_DIRTY_VARIABLES = `
  since pg_lsn := nullif(pg_catalog.current_setting('afresh.since', true), '')::pg_lsn;
  before xid8;
  upto pg_lsn;
  writing boolean;
  waited boolean;
  special oid;
  blocks json;
  rewritten oid[];
  leaves oid[];
  stale boolean;
  moved boolean;
  objects boolean;
  held record;`

/**
 * PL/pgSQL that finds the dirty subjects (`touched`, may be null) in the WAL or by a scan, with the `reason`
 * for a scan. The WAL may name subjects that are unchanged. `forced` is one of `auto`, `wal`, `scan`, `lost`;
 * `breakEvenBytes` is the WAL size from which a scan is cheaper.
 *
 * Waits for open transactions and then searches again, so that a commit during the wait is seen.
 *
 * Uses few statements, because setting up each statement and expression takes some 2 to 20 us per call.
 */
export function findDirty(
  journal: WalAccess,
  breakEvenBytes: string,
  probes: ReadonlyMap<SubjectId, string>,
  whenUntouched: string,
): string {
  const unlogged = journal.readable
    ? [...probes].filter(([id]) => journal.unlogged.has(id)).map(([, sql]) => sql)
    : []
  return `
  LOOP
    ${
      journal.readable
        ? `${findEnd(journal.flushes)}
    reason := CASE WHEN forced = 'scan' THEN 'asked' WHEN forced = 'lost' THEN 'lost' WHEN since IS NULL THEN 'first'
      ${journal.flushes ? '' : `WHEN ${IS_UNFLUSHED} THEN 'unflushed'`} WHEN forced = 'auto' AND upto > since + ${breakEvenBytes} THEN 'long' END;
    IF reason IS NULL AND upto > since THEN
      ${readJournal(journal)}
    ${unlogged.length === 0 ? `ELSIF reason IS NULL THEN\n      ${whenUntouched}` : ''}
    END IF;
    IF ${unlogged.length === 0 ? 'reason IS NOT NULL OR touched IS NOT NULL' : 'true'} THEN
      ${FIND_OPEN_WRITERS}
    END IF;`
        : `before := pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot());
    IF ${IS_UNTOUCHED} THEN
      ${STILL_UNTOUCHED}
      ${whenUntouched}
    END IF;
    reason := CASE WHEN forced = 'scan' THEN 'asked' ELSE '' END;
    ${FIND_OPEN_WRITERS}`
    }
    EXIT WHEN waited OR writing IS NOT TRUE;
    waited := true;
    ${WAIT_FOR_WRITERS}
    PERFORM pg_catalog.pg_stat_clear_snapshot();
  END LOOP;
  IF reason IS NOT NULL THEN
    objects := true;
    moved := true;${
      journal.readable
        ? `
  ELSIF ${IS_SPECIAL} THEN
    objects := true;
    moved := ${IS_CATALOG};`
        : ''
    }
  END IF;
  ${unlogged.length === 0 ? '' : `touched := touched || ARRAY(${scanQuery(unlogged)});`}
  IF moved THEN
    stale := CASE WHEN reason IS NULL OR reason = 'asked' THEN ${CATALOG_FUNCTION} <> pg_catalog.current_setting('afresh.catalog') ELSE ${IS_CHANGED} END;
    IF reason IS NOT NULL AND NOT stale AND reason <> 'asked' THEN
      SELECT l.filled, l.leaves INTO touched, leaves FROM pg_temp.afresh_find_dirty() AS l;
    ELSIF reason IS NOT NULL THEN
      -- Rows of a partition that the plan does not know are found by a full scan only.
      touched := pg_temp.afresh_scan();
      leaves := NULL;
    END IF;
    ${journal.readable ? DETECT_REWRITES : ''}
  END IF;`
}
