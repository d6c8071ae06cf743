import type { Plan } from '../../plan/plan.ts'

/**
 * Without the WAL, transaction ids show that nothing was written. They are given out in order, to every
 * transaction that writes, of any session and database of the server. If this transaction has the one after
 * that of the last reset, there was none in between.
 *
 * Only a sequence may be advanced without one: within the values that it has logged ahead, which are none
 * at its baseline, unless it comes back there by CYCLE; or if it is unlogged.
 */
const NEXT = 'afresh.next_xid'

/** Instead of an id: they do not show it here. */
const NEVER = 'never'

export function noteSequences({ sequences }: Plan): string {
  return `SELECT pg_catalog.set_config('${NEXT}', CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = c.oid
    WHERE c.oid = ANY (ARRAY[${sequences.join(', ')}]::oid[]) AND (c.relpersistence = 'u' OR s.seqcycle)) THEN '${NEVER}' ELSE '' END, false)`
}

const AFTER_THIS = `(pg_catalog.pg_current_xact_id()::text::bigint + 1)::text`

/** A condition: nothing was written since the last reset. */
export const IS_UNTOUCHED = `forced = 'auto' AND pg_catalog.pg_current_xact_id()::text = pg_catalog.current_setting('${NEXT}')`

export const STILL_UNTOUCHED = `PERFORM pg_catalog.set_config('${NEXT}', ${AFTER_THIS}, false);`

/**
 * An expression that notes the id which shows that nothing was written after this reset. Only if all earlier
 * transactions had ended `before`: what another one commits later has a lower id.
 */
export const NOTE_NEXT = `pg_catalog.set_config('${NEXT}', CASE WHEN pg_catalog.current_setting('${NEXT}') = '${NEVER}' THEN '${NEVER}'
      WHEN before = pg_catalog.pg_current_xact_id() AND writing IS NOT TRUE AND waited IS NOT TRUE AND stale IS NOT TRUE THEN ${AFTER_THIS} ELSE '' END, false)`
