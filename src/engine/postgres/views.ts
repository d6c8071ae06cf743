import type { Table } from '../../schema/schema.ts'
import { dollar, literal, qualified } from './quote.ts'
import { hash, ROW_ALIAS, STATE } from './repair.ts'

/** SQLSTATE: a materialized view has other rows after a refresh than in the baseline. */
export const NOT_THE_BASELINE = 'AFR02'

const FUNCTION = 'pg_temp.afresh_view'

/**
 * `afresh_view` returns a hash of a materialized view: of its row versions, or (`by_content`) of its content.
 * NULL for a view that was never populated, which cannot be read.
 */
export const VIEW_FUNCTION = `CREATE FUNCTION ${FUNCTION}(view oid, by_content boolean) RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE
    result bigint;
  BEGIN
    IF NOT (SELECT c.relispopulated FROM pg_catalog.pg_class AS c WHERE c.oid = view) THEN
      RETURN NULL;
    END IF;
    EXECUTE pg_catalog.format(CASE WHEN by_content
        THEN 'SELECT pg_catalog.hashtextextended(pg_catalog.concat(count(*), '' '', sum(pg_catalog.hashtextextended(${ROW_ALIAS}::text, 0))), 0) FROM %s AS ${ROW_ALIAS}'
        ELSE 'SELECT pg_catalog.hashtextextended(pg_catalog.concat(count(*), '' '', bit_xor(${hash('tableoid, ctid, xmin')})), 0) FROM %s' END,
      view::pg_catalog.regclass) INTO result;
    RETURN result;
  END $$`

export const DROP_VIEW_FUNCTION = `DROP FUNCTION IF EXISTS ${FUNCTION}(oid, boolean)`

/** `hash` shows whether the view was changed, `rows` what it contained. */
export function rememberView({ id }: Table): string {
  return `INSERT INTO ${STATE} (table_oid, hash, rows) VALUES (${id}, ${FUNCTION}(${id}, false), ${FUNCTION}(${id}, true))`
}

/** A view that a test created: it has no baseline rows. */
export function rememberNewView({ id }: Table): string {
  return `INSERT INTO ${STATE} (table_oid, hash, rows, is_new) VALUES (${id}, ${FUNCTION}(${id}, false), NULL, true) ON CONFLICT DO NOTHING`
}

export function viewProbe({ id }: Table): string {
  return `SELECT ${id}::oid WHERE ${FUNCTION}(${id}, false) IS DISTINCT FROM (SELECT s.hash FROM ${STATE} AS s WHERE s.table_oid = ${id})`
}

/**
 * Refreshes the view from tables that are at the baseline by now, which yields the baseline's rows unless the
 * view was stale there, or reads a clock. Before 17 its functions resolve names by the session's path, so the
 * user's path is set.
 */
export function refresh(view: Table): string[] {
  const data = view.traits.includes('unfilled') ? ' WITH NO DATA' : ''
  const message = `the materialized view ${view.label} does not have the rows of the baseline when it is refreshed`
  return [
    `REFRESH MATERIALIZED VIEW ${qualified(view)}${data}`,
    `DO ${dollar(`BEGIN IF ${FUNCTION}(${view.id}, true) IS DISTINCT FROM (SELECT s.rows FROM ${STATE} AS s WHERE s.table_oid = ${view.id})
        AND NOT (SELECT s.is_new FROM ${STATE} AS s WHERE s.table_oid = ${view.id}) THEN
      RAISE EXCEPTION USING ERRCODE = '${NOT_THE_BASELINE}', MESSAGE = ${literal(message)}; END IF; END`)}`,
    `UPDATE ${STATE} AS s SET hash = ${FUNCTION}(${view.id}, false) WHERE s.table_oid = ${view.id}`,
  ]
}
