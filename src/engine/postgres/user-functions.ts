import type { TableId } from '../../schema/schema.ts'
import type { Connection } from '../connection.ts'
import { readCatalog } from './catalog.ts'
import { dollar } from './quote.ts'

const FUNCTION = 'pg_temp.afresh_run'

export const DROP_RUN_FUNCTION = `DROP FUNCTION IF EXISTS ${FUNCTION}(text)`

/** Tables whose checks, generated columns or indexes call users' functions, and how those resolve names. */
export interface UserFunctions {
  readonly tables: ReadonlySet<TableId>
  /** The value of `search_path`: system schemas first, then as in a user's session. */
  readonly path: string
}

/** A condition: the object depends on functions or operators that do not come with the server. */
const CALLS = (catalog: string, oid: string) => `EXISTS (SELECT FROM pg_catalog.pg_depend AS d
  WHERE d.classid = 'pg_catalog.${catalog}'::pg_catalog.regclass AND d.objid = ${oid} AND d.refobjid >= 16384
    AND d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass))`

/**
 * Domains whose checks call such functions, and every type that contains one: arrays, ranges, composites,
 * other domains.
 */
const CHECKED_TYPES = `WITH RECURSIVE checked(id) AS (
  SELECT k.contypid FROM pg_catalog.pg_constraint AS k WHERE k.contypid <> 0 AND ${CALLS('pg_constraint', 'k.oid')}
  UNION SELECT u.id FROM checked AS c CROSS JOIN LATERAL (
    SELECT t.oid AS id FROM pg_catalog.pg_type AS t WHERE t.typelem = c.id OR t.typbasetype = c.id
    UNION ALL SELECT r.reltype FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS r ON r.oid = a.attrelid
      WHERE a.atttypid = c.id AND r.reltype <> 0
    UNION ALL SELECT g.rngtypid FROM pg_catalog.pg_range AS g WHERE g.rngsubtype = c.id
    UNION ALL SELECT g.rngmultitypid FROM pg_catalog.pg_range AS g WHERE g.rngtypid = c.id) AS u)`

const TABLES = `${CHECKED_TYPES} SELECT DISTINCT coalesce(pg_catalog.pg_partition_root(t.id)::oid, t.id)::text AS id FROM (
  SELECT k.conrelid AS id FROM pg_catalog.pg_constraint AS k WHERE k.conrelid <> 0 AND k.contype = 'c' AND ${CALLS('pg_constraint', 'k.oid')}
  UNION ALL SELECT a.attrelid FROM pg_catalog.pg_attribute AS a JOIN checked AS c ON c.id = a.atttypid WHERE NOT a.attisdropped
  UNION ALL SELECT f.adrelid FROM pg_catalog.pg_attrdef AS f JOIN pg_catalog.pg_attribute AS a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
    WHERE a.attgenerated <> '' AND ${CALLS('pg_attrdef', 'f.oid')}
  UNION ALL SELECT p.partrelid FROM pg_catalog.pg_partitioned_table AS p WHERE p.partexprs IS NOT NULL AND ${CALLS('pg_class', 'p.partrelid')}
  UNION ALL SELECT x.indrelid FROM pg_catalog.pg_index AS x WHERE x.indexrelid >= 16384 AND (x.indexprs IS NOT NULL OR x.indpred IS NOT NULL)
    AND ${CALLS('pg_class', 'x.indexrelid')}) AS t`

export async function userFunctionsOf(connection: Connection): Promise<UserFunctions> {
  const [row] = await connection.query(
    connection.owned
      ? `SELECT s.reset_val AS path FROM pg_catalog.pg_settings AS s WHERE s.name OPERATOR(pg_catalog.=) 'search_path'`
      : `SELECT pg_catalog.current_setting('search_path') AS path`,
  )
  const tables = await readCatalog(connection, TABLES)
  return {
    tables: new Set(tables.map(({ id }) => String(id))),
    path: ['pg_catalog', ...schemasOf(String(row?.path ?? ''))].join(', '),
  }
}

/** The quoted or plain names of a `search_path`, without empty ones, which SET refuses as identifiers. */
function schemasOf(path: string): string[] {
  return (path.match(/"(?:[^"]|"")*"|[^\s,"]+/g) ?? []).filter((name) => name !== '""')
}

/**
 * `afresh_run` runs a statement with the name resolution that users' functions expect, and returns a row for
 * each row that the statement affected.
 */
export function runFunction({ path }: UserFunctions): string {
  return `CREATE FUNCTION ${FUNCTION}(statement text) RETURNS SETOF int LANGUAGE plpgsql SET search_path TO ${path} AS $$ DECLARE
    touched bigint;
  BEGIN
    EXECUTE statement;
    GET DIAGNOSTICS touched = ROW_COUNT;
    RETURN QUERY SELECT 1 FROM pg_catalog.generate_series(1, touched);
  END $$`
}

export function asUser(statement: string): string {
  return `SELECT FROM ${FUNCTION}(${dollar(statement)})`
}
