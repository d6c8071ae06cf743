import type { Plan } from '../../plan/plan.ts'
import { type Schema, type SubjectId, type Table, tableOf } from '../../schema/schema.ts'
import { only, qualified } from './quote.ts'
import { STATE, versions } from './repair.ts'
import { POSITIONS } from './step-tables.ts'
import { viewProbe } from './views.ts'

/**
 * Per table and sequence, the query that returns its id if it is dirty: a table with an empty baseline if it
 * has a row, a table with baseline rows if any row version differs, a sequence if its position differs or if
 * it was advanced and set back.
 */
export function probesOf(schema: Schema, plan: Plan): Map<SubjectId, string> {
  const populated = new Set(plan.populated)
  const probes = new Map<SubjectId, string>()
  for (const id of plan.order.flat()) {
    const table = tableOf(schema, id)
    probes.set(id, probeOf(table, populated.has(id)))
  }
  const sequences = new Map(schema.sequences.map((sequence) => [sequence.id, sequence]))
  for (const step of plan.steps) {
    const sequence = step.kind === 'restart' ? sequences.get(step.sequence) : undefined
    if (step.kind !== 'restart' || sequence === undefined) continue
    const { value, called } = step.to
    // Values logged ahead (`log_cnt`) would hide the next calls of nextval from the WAL, so they are reset
    // too.
    const isElsewhere = `last_value <> ${value} OR is_called <> ${called} OR log_cnt <> 0`
    probes.set(sequence.id, `SELECT ${sequence.id}::oid FROM ${qualified(sequence)} WHERE ${isElsewhere}`)
  }
  return probes
}

/** The sequences of `POSITIONS` that are elsewhere. From 18 on, and faster than to read each as a table. */
export const SEQUENCE_PROBE = `SELECT p.subject FROM ${POSITIONS} AS p, LATERAL pg_catalog.pg_get_sequence_data(p.subject::pg_catalog.regclass) AS d
  WHERE ROW(d.last_value, d.is_called) IS DISTINCT FROM ROW(p.value, p.called)`

function probeOf(table: Table, isPopulated: boolean): string {
  if (table.traits.includes('materialized')) return viewProbe(table)
  return isPopulated
    ? versionsProbe(table)
    : `SELECT ${table.id}::oid WHERE EXISTS (SELECT FROM ${only(table)})`
}

function versionsProbe(table: Table): string {
  return `SELECT ${table.id}::oid WHERE NOT EXISTS (SELECT FROM (${versions(table)}) AS v
    JOIN ${STATE} AS s ON s.table_oid = ${table.id} AND s.rows = v.rows AND s.hash = v.hash)`
}

/**
 * The `scan` detector: all probes as one query, a static statement of a function that is planned once per
 * session.
 */
export function scanQuery(probes: Iterable<string>): string {
  return [...probes].join('\nUNION ALL ') || 'SELECT NULL::oid WHERE false'
}

/**
 * Sessions that have written in this database in a transaction that is still open. Their rows are invisible
 * to any scan and may appear after it. `pg_stat_get_activity` underlies the view `pg_stat_activity`.
 * Autovacuum has transactions for its statistics too, but writes no user rows. It has no user, which every
 * role may see; the type of a session is visible to its own role and to superusers only.
 */
const WRITERS = `pg_catalog.pg_stat_get_activity(NULL) AS a
  WHERE a.datid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
    AND a.pid <> pg_catalog.pg_backend_pid() AND a.backend_xid IS NOT NULL
    AND a.usesysid IS NOT NULL`

/** Transactions of this database that were prepared for a two-phase commit. They belong to no session. */
const PREPARED = `pg_catalog.pg_prepared_xact() AS x
  WHERE x.dbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())`

/** An expression: whether there are such sessions or prepared transactions. */
export const ANYBODY_WRITES = `(EXISTS (SELECT FROM ${WRITERS}) OR EXISTS (SELECT FROM ${PREPARED}))`

/** PL/pgSQL that waits for those sessions, on the tables that they lock, for at most `lock_timeout`. */
export const WAIT_FOR_WRITERS = `
    FOR held IN SELECT DISTINCT l.relation::pg_catalog.regclass AS name
      FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
      WHERE l.locktype = 'relation' AND c.relkind IN ('r', 'p') AND c.oid >= 16384 AND l.granted
        AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
        AND l.pid IN (SELECT a.pid FROM ${WRITERS})
    LOOP
      EXECUTE pg_catalog.format('LOCK TABLE ONLY %s IN SHARE MODE', held.name);
    END LOOP;`
