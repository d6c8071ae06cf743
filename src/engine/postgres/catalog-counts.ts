import {
  CATALOG_FUNCTION,
  OWN_DATABASE,
  PUBLIC,
  RESTRICTED_CATALOGS,
  WATCHED_CATALOGS,
} from './catalog-hash.ts'

/**
 * A faster check than the hash of all definitions. The catalogs are unchanged if they have as many rows as
 * before, and none whose transaction had not ended then: no row was added or replaced, so none was deleted
 * either. Otherwise the hash decides.
 */
export const IS_CHANGED = 'pg_temp.afresh_is_changed()'

/** The rows that the hash reads, at least; by default those of objects of users. */
const CONDITIONS: Readonly<Record<string, string>> = {
  pg_attribute: 'o.attrelid >= 16384 AND o.attnum > 0',
  pg_attrdef: 'true',
  pg_index: 'o.indexrelid >= 16384',
  pg_namespace: 'true',
  pg_inherits: 'true',
  pg_sequence: 'true',
  pg_depend: `o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.objid >= 16384`,
  pg_database: 'o.datname = pg_catalog.current_database()',
  pg_description: `(o.objoid >= 16384 OR o.objoid = ${PUBLIC})`,
  pg_language: 'true',
  pg_foreign_table: 'true',
  pg_db_role_setting: `o.setdatabase = ${OWN_DATABASE}`,
  pg_ts_config_map: 'o.mapcfg >= 16384',
}

const COUNTS = WATCHED_CATALOGS.filter((name) => !RESTRICTED_CATALOGS.has(name))
  .map(
    (name) =>
      `SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.${name} AS o WHERE ${CONDITIONS[name] ?? 'o.oid >= 16384'}`,
  )
  .join('\n    UNION ALL ')

/**
 * Notes the counts before it computes the hash: what changes in between is seen by the next check. `horizon`:
 * all transactions with a lower id had ended.
 */
export const IS_CHANGED_FUNCTION = `CREATE FUNCTION ${IS_CHANGED} RETURNS boolean LANGUAGE plpgsql AS $$ DECLARE
    known text[] := pg_catalog.string_to_array(pg_catalog.current_setting('afresh.counts', true), ' ');
    recent int := coalesce(pg_catalog.age(known[1]::xid), ${2 ** 31 - 1});
    now record;
  BEGIN
    SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::xid AS horizon,
      pg_catalog.concat(sum(c.rows), '/', (SELECT pg_catalog.bit_xor(r.h) FROM (${[...RESTRICTED_CATALOGS.values()].join(' UNION ALL ')}) AS r(h))) AS rows,
      sum(c.added) AS added INTO now
    FROM (${COUNTS}) AS c;
    IF now.added = 0 AND now.rows = known[2] THEN
      RETURN false;
    END IF;
    IF ${CATALOG_FUNCTION} <> pg_catalog.current_setting('afresh.catalog') THEN
      RETURN true;
    END IF;
    PERFORM pg_catalog.set_config('afresh.counts', pg_catalog.concat_ws(' ', now.horizon, now.rows), false);
    RETURN false;
  END $$`

/** The first check computes the hash. */
export const FORGET_COUNTS = `SELECT pg_catalog.set_config('afresh.counts', '', false)`
