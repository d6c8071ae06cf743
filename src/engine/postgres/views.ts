import type { Table } from '../../schema/schema.ts'
import { dollar, literal, qualified } from './quote.ts'
import { hash, ROW_ALIAS, STATE } from './repair.ts'

/** SQLSTATE: a materialised view was computed again and has other rows than in the baseline. */
export const NOT_THE_BASELINE = 'AFR02'

const FUNCTION = 'pg_temp.afresh_view'

/**
 * `afresh_view` gives a number for what a materialised view holds: by the versions of its rows, or (`by_content`) by what
 * they say; NULL for one that holds nothing, not even no rows, until it is refreshed, and cannot be read.
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

/** `hash` tells whether anything happened to it, `rows` what it held. */
export function rememberView({ id }: Table): string {
  return `INSERT INTO ${STATE} (table_oid, hash, rows) VALUES (${id}, ${FUNCTION}(${id}, false), ${FUNCTION}(${id}, true))`
}

/** One that a test has made: it has no rows of the baseline's. */
export function rememberNewView({ id }: Table): string {
  return `INSERT INTO ${STATE} (table_oid, hash, rows, is_new) VALUES (${id}, ${FUNCTION}(${id}, false), NULL, true) ON CONFLICT DO NOTHING`
}

export function viewProbe({ id }: Table): string {
  return `SELECT ${id}::oid WHERE ${FUNCTION}(${id}, false) IS DISTINCT FROM (SELECT s.hash FROM ${STATE} AS s WHERE s.table_oid = ${id})`
}

/**
 * It is computed again from tables that are at the baseline by now, which gives the baseline's rows unless it was stale
 * there, or reads a clock. Before 17 its functions find names by the session's path, so it is the user's.
 */
export function refresh(view: Table): string[] {
  const data = view.traits.includes('unfilled') ? ' WITH NO DATA' : ''
  const message = `the materialised view ${view.label} does not have the rows of the baseline when it is refreshed`
  return [
    `REFRESH MATERIALIZED VIEW ${qualified(view)}${data}`,
    `DO ${dollar(`BEGIN IF ${FUNCTION}(${view.id}, true) IS DISTINCT FROM (SELECT s.rows FROM ${STATE} AS s WHERE s.table_oid = ${view.id})
        AND NOT (SELECT s.is_new FROM ${STATE} AS s WHERE s.table_oid = ${view.id}) THEN
      RAISE EXCEPTION USING ERRCODE = '${NOT_THE_BASELINE}', MESSAGE = ${literal(message)}; END IF; END`)}`,
    `UPDATE ${STATE} AS s SET hash = ${FUNCTION}(${view.id}, false) WHERE s.table_oid = ${view.id}`,
  ]
}
