import type { Plan } from '../../plan/plan.ts'
import { type Schema, tableOf } from '../../schema/schema.ts'
import { only, qualified } from './quote.ts'
import { STATE, versions } from './statements.ts'

/**
 * The `scan` detector as one query that returns the id of everything dirty: a table whose baseline is empty is
 * dirty when it has a row, one with baseline rows when any row version is another, a sequence when it is anywhere
 * else. As a static statement of a function it is planned once a session.
 */
export function scanQuery(schema: Schema, plan: Plan): string {
  const populated = new Set(plan.populated)
  const tables = plan.order.flat().map((id) => {
    const table = tableOf(schema, id)
    return populated.has(id)
      ? `SELECT ${id}::bigint WHERE NOT EXISTS (SELECT FROM (${versions(table)}) AS v
          JOIN ${STATE} AS s ON s.t = ${id} AND s.rows = v.rows AND s.hash = v.hash)`
      : `SELECT ${id}::bigint WHERE EXISTS (SELECT FROM ${only(table)})`
  })
  const sequences = plan.steps.flatMap((step) => {
    if (step.kind !== 'restart') return []
    const sequence = schema.sequences.find(({ id }) => id === step.sequence)
    if (sequence === undefined) return []
    const { value, called } = step.to
    return [
      `SELECT ${sequence.id}::bigint FROM ${qualified(sequence)} WHERE last_value <> ${value} OR is_called <> ${called}`,
    ]
  })
  return [...tables, ...sequences].join('\nUNION ALL ') || 'SELECT NULL::bigint WHERE false'
}

/**
 * Sessions that have written in this database and not ended their transaction: their rows are invisible to any
 * scan and may appear after it. `pg_stat_get_activity` is what the view `pg_stat_activity` reads.
 */
const WRITERS = `pg_catalog.pg_stat_get_activity(NULL) AS a
  WHERE a.datid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
    AND a.pid <> pg_catalog.pg_backend_pid() AND a.backend_xid IS NOT NULL`

/** PL/pgSQL that waits for those writers, on the tables that they hold, as long as `lock_timeout` allows. */
export const WAIT_FOR_WRITERS = `
  IF EXISTS (SELECT FROM ${WRITERS}) THEN
    FOR held IN SELECT DISTINCT l.relation::pg_catalog.regclass AS name
      FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
      WHERE l.locktype = 'relation' AND c.relkind IN ('r', 'p') AND c.oid >= 16384 AND l.granted
        AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
        AND l.pid IN (SELECT a.pid FROM ${WRITERS})
    LOOP
      EXECUTE pg_catalog.format('LOCK TABLE ONLY %s IN SHARE MODE', held.name);
    END LOOP;
  END IF;`
