import type { SubjectId } from '../../schema/schema.ts'
import { CATALOG_FUNCTION } from './definitions.ts'
import { ANYBODY_WRITES, scanQuery, WAIT_FOR_WRITERS } from './detect.ts'
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

/** Why everything is looked at: what `reason` says. Without a reason it was the journal that told. */
export const REASONS = {
  asked: 'it was asked for',
  first: 'the first look',
  long: 'the journal since the last reset is too long to be read',
  changed: 'a test changed the schema',
  unflushed: 'another session was writing to the WAL',
  lost: 'the journal since the last reset was recycled',
} as const

/** The variables of `findDirty`; `touched` and `reason` are declared by who uses it. */
export const FIND_DIRTY_VARIABLES = `
  since pg_lsn := nullif(pg_catalog.current_setting('afresh.since', true), '')::pg_lsn;
  before xid8;
  upto pg_lsn;
  writing boolean;
  waited boolean;
  special oid;
  blocks json;
  stale boolean;
  moved boolean;
  objects boolean;
  held record;`

/**
 * PL/pgSQL that finds out which subjects are dirty (`touched`, maybe null), by the journal or by a scan, with the `reason`
 * for that. The journal may name some that are as they were. `forced` is one of `auto`, `wal`, `scan`, `lost`; `breakEvenBytes` the
 * bytes of journal from which on a scan is cheaper.
 *
 * Open transactions are waited for, and then everything is looked for again: a straggler that commits while it is waited
 * for is seen.
 *
 * Few statements, since each of them, and each expression, is set up anew for every call: some 2 to 20 us.
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
  const scan = `
    touched := pg_temp.afresh_scan();
    objects := true;
    moved := true;`
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
        : `reason := CASE WHEN forced = 'scan' THEN 'asked' ELSE '' END;
    writing := ${ANYBODY_WRITES};`
    }
    EXIT WHEN waited OR writing IS NOT TRUE;
    waited := true;
    ${WAIT_FOR_WRITERS}
    PERFORM pg_catalog.pg_stat_clear_snapshot();
  END LOOP;
  ${
    journal.readable
      ? `IF reason IS NOT NULL THEN${scan}
  ELSIF ${IS_SPECIAL} THEN
    objects := true;
    moved := ${IS_CATALOG};
  END IF;
  ${unlogged.length === 0 ? '' : `touched := touched || ARRAY(${scanQuery(unlogged)});`}`
      : scan
  }
  IF moved THEN
    stale := ${CATALOG_FUNCTION} <> pg_catalog.current_setting('afresh.catalog');
    ${journal.readable ? DETECT_REWRITES : ''}
  END IF;`
}
