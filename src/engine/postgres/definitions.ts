import type { Connection } from '../connection.ts'
import type { SchemaChange } from '../resetter.ts'
import { readCatalog } from './catalog.ts'
import {
  CATALOG_FUNCTION,
  OF_DATABASE,
  OF_TYPES,
  OTHER_CATALOGS,
  OWN_DATABASE,
  OWNER_OF,
  PUBLIC,
} from './catalog-hash.ts'
import { DEFINITIONS } from './definitions-table.ts'
import { OWN_NAMESPACES } from './introspect-sequences.ts'
import { ALL_OBJECTS } from './large-objects.ts'
import { SHADOWING } from './shadowing.ts'

/**
 * Detects whether the schema is still the baseline's, by two measures. A hash, computed in each reset, only
 * shows that something may have changed. A description of every object shows what changed.
 */

/** Objects whose comments always count: a new one is no harmless addition, or is gone after a reset. */
const NEVER_HARMLESS = ['pg_publication', 'pg_subscription', 'pg_event_trigger', 'pg_largeobject']
  .map((catalog) => `'pg_catalog.${catalog}'::pg_catalog.regclass`)
  .join(', ')

/** The table or other object that a comment belongs to. */
const COMMENTED = `coalesce(CASE WHEN d.classoid IN (${NEVER_HARMLESS}) THEN 0 END, ${[
  ['pg_constraint', 'conrelid'],
  ['pg_trigger', 'tgrelid'],
  ['pg_policy', 'polrelid'],
  ['pg_rewrite', 'ev_class'],
]
  .map(
    ([catalog, table]) =>
      `(SELECT x.${table} FROM pg_catalog.${catalog} AS x WHERE d.classoid = 'pg_catalog.${catalog}'::pg_catalog.regclass AND x.oid = d.objoid)`,
  )
  .join(', ')}, d.objoid)`

const FROM_EXTENSION = (catalog: string, oid: string) => `EXISTS (SELECT FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.${catalog}'::pg_catalog.regclass AND e.objid = ${oid} AND e.deptype = 'e')`

const TABLE = `pg_catalog.format('%I.%I', n.nspname, c.relname)`
const OF_TABLES = `JOIN pg_catalog.pg_class AS c ON c.oid = %s JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND ${OWN_NAMESPACES}`
const of = (oid: string) => OF_TABLES.replace('%s', oid)

/**
 * The index of a partition follows that of its table. What could differ is faster to read than its statement,
 * with thousands of partitions.
 */
const PARTITION_INDEX = `pg_catalog.concat_ws(' ', 'of a partition:', xc.relam, x.indisunique, x.indnullsnotdistinct, x.indkey, x.indclass, x.indcollation,
          x.indoption, pg_catalog.md5(x.indexprs::text), pg_catalog.md5(x.indpred::text), xc.reloptions,
          (SELECT pg_catalog.string_agg(o.attoptions::text, ' ' ORDER BY o.attnum) FROM pg_catalog.pg_attribute AS o WHERE o.attrelid = x.indexrelid AND o.attoptions IS NOT NULL))`

/**
 * Every object of the schema: its name, its definition, and the table that it belongs to (0: none). `free`:
 * adding such an object does not change the behavior of existing ones.
 */
export const DEFINITIONS_QUERY = `
  SELECT pg_catalog.concat('table ', ${TABLE}) AS object, c.oid AS relation, c.relkind IN ('v', 'm') AS free, pg_catalog.concat_ws(' ',
      c.oid, c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.relowner, nullif(c.reloftype, 0),
      (SELECT f.ftoptions::text FROM pg_catalog.pg_foreign_table AS f WHERE f.ftrelid = c.oid),
      pg_catalog.pg_get_partkeydef(c.oid), pg_catalog.pg_get_expr(c.relpartbound, c.oid),
      (SELECT pg_catalog.string_agg(i.inhparent::text, ',' ORDER BY i.inhseqno) FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = c.oid),
      c.reloptions, c.relacl, CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.md5(pg_catalog.pg_get_viewdef(c.oid)) END) AS definition
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f', 'c') AND ${OWN_NAMESPACES} AND NOT ${FROM_EXTENSION('pg_class', 'c.oid')}
  UNION ALL SELECT pg_catalog.concat('column ', ${TABLE}, '.', pg_catalog.quote_ident(a.attname)), c.oid, false, pg_catalog.concat_ws(' ',
      -- A column that was dropped and added again has another number, and none of the values.
      a.attnum, pg_catalog.format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END, CASE WHEN NOT a.attislocal THEN 'inherited' END, nullif(a.attcollation, 0),
      a.attstorage, a.attcompression, a.attstattarget, a.attoptions, a.attfdwoptions,
      CASE a.attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity by default' END,
      CASE WHEN a.attgenerated <> '' THEN 'generated' WHEN d.oid IS NOT NULL THEN 'default' END, pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attacl)
    FROM pg_catalog.pg_attribute AS a ${of('a.attrelid')}
    LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f', 'c', 'v', 'm')
  UNION ALL SELECT pg_catalog.concat('constraint ', pg_catalog.quote_ident(k.conname), ' of ', ${TABLE}), c.oid, false,
      pg_catalog.concat_ws(' ', pg_catalog.pg_get_constraintdef(k.oid), pg_catalog.to_jsonb(k) ->> 'conenforced')
    FROM pg_catalog.pg_constraint AS k ${of('k.conrelid')} WHERE k.contype <> 'n' AND k.conparentid = 0
  UNION ALL SELECT pg_catalog.concat('constraint ', pg_catalog.quote_ident(k.conname), ' of ', pg_catalog.format_type(k.contypid, NULL)), k.contypid, false,
      pg_catalog.pg_get_constraintdef(k.oid)
    FROM pg_catalog.pg_constraint AS k WHERE k.contypid <> 0 AND k.oid >= 16384
  UNION ALL SELECT pg_catalog.concat('index ', pg_catalog.quote_ident(xc.relname), ' of ', ${TABLE}), c.oid, NOT x.indisunique AND NOT x.indisexclusion,
      pg_catalog.concat_ws(' ', x.indisvalid, CASE WHEN x.indisreplident THEN 'replica identity' END,
        CASE WHEN xc.relispartition THEN ${PARTITION_INDEX} ELSE pg_catalog.pg_get_indexdef(x.indexrelid) END)
    FROM pg_catalog.pg_index AS x JOIN pg_catalog.pg_class AS xc ON xc.oid = x.indexrelid ${of('x.indrelid')}
  UNION ALL SELECT pg_catalog.concat('trigger ', pg_catalog.quote_ident(t.tgname), ' of ', ${TABLE}), c.oid, false,
      pg_catalog.concat_ws(' ', t.tgenabled, pg_catalog.pg_get_triggerdef(t.oid))
    FROM pg_catalog.pg_trigger AS t ${of('t.tgrelid')} WHERE NOT t.tgisinternal OR t.tgenabled <> 'O'
  UNION ALL SELECT pg_catalog.concat('rule ', pg_catalog.quote_ident(r.rulename), ' of ', ${TABLE}), c.oid, false,
      pg_catalog.concat_ws(' ', r.ev_enabled, pg_catalog.pg_get_ruledef(r.oid))
    FROM pg_catalog.pg_rewrite AS r ${of('r.ev_class')} WHERE r.ev_type <> '1'
  UNION ALL SELECT pg_catalog.concat('policy ', pg_catalog.quote_ident(p.polname), ' of ', ${TABLE}), c.oid, false,
      pg_catalog.concat_ws(' ', p.polcmd, p.polpermissive, p.polroles, pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
    FROM pg_catalog.pg_policy AS p ${of('p.polrelid')}
  UNION ALL SELECT pg_catalog.concat('sequence ', ${TABLE}), c.oid, true, pg_catalog.concat_ws(' ', c.oid, pg_catalog.format_type(s.seqtypid, NULL),
      'start', s.seqstart, 'increment', s.seqincrement, 'min', s.seqmin, 'max', s.seqmax, 'cache', s.seqcache, CASE WHEN s.seqcycle THEN 'cycle' END,
      c.relpersistence, c.relowner, c.relacl, (SELECT pg_catalog.concat('of ', o.refobjid, ' ', o.refobjsubid) FROM pg_catalog.pg_depend AS o WHERE ${OWNER_OF('c.oid')}))
    FROM pg_catalog.pg_sequence AS s ${of('s.seqrelid')}
  UNION ALL SELECT pg_catalog.concat('function ', p.oid::pg_catalog.regprocedure), p.oid, true, pg_catalog.md5(pg_catalog.concat_ws(' ', p.proacl, p.proowner, p.pronamespace,
      -- The definitions of an extension's functions, of which there may be hundreds, take too long.
      CASE WHEN p.prokind IN ('f', 'p', 'w') AND NOT ${FROM_EXTENSION('pg_proc', 'p.oid')} THEN pg_catalog.pg_get_functiondef(p.oid)
        ELSE pg_catalog.concat_ws(' ', p.prosrc, p.probin, p.prorettype, p.provolatile, p.proisstrict, p.prosecdef, p.proconfig) END,
      CASE WHEN p.prokind = 'a' THEN (SELECT pg_catalog.to_jsonb(g)::text FROM pg_catalog.pg_aggregate AS g WHERE g.aggfnoid = p.oid) END))
    FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace AND n.nspname !~ '^pg_(toast_)?temp_' WHERE p.oid >= 16384
  UNION ALL SELECT pg_catalog.concat('type ', pg_catalog.format_type(y.oid, NULL)), y.oid, true, pg_catalog.concat_ws(' ', y.typowner,
      CASE WHEN y.typtype = 'd' THEN pg_catalog.format_type(y.typbasetype, y.typtypmod) END, y.typnotnull, y.typdefault, y.typacl,
      (SELECT pg_catalog.string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = y.oid))
    FROM pg_catalog.pg_type AS y JOIN pg_catalog.pg_namespace AS n ON n.oid = y.typnamespace AND ${OWN_NAMESPACES} WHERE ${OF_TYPES}
  UNION ALL SELECT pg_catalog.concat('publication ', pg_catalog.quote_ident(b.pubname)), 0, false, pg_catalog.concat_ws(' ',
      b.pubowner, b.puballtables, b.pubinsert, b.pubupdate, b.pubdelete, b.pubtruncate, b.pubviaroot, pg_catalog.to_jsonb(b) ->> 'pubgencols',
      (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', l.prrelid, l.prattrs, pg_catalog.pg_get_expr(l.prqual, l.prrelid)), ',' ORDER BY l.prrelid) FROM pg_catalog.pg_publication_rel AS l WHERE l.prpubid = b.oid),
      (SELECT pg_catalog.string_agg(l.pnnspid::text, ',' ORDER BY l.pnnspid) FROM pg_catalog.pg_publication_namespace AS l WHERE l.pnpubid = b.oid))
    FROM pg_catalog.pg_publication AS b
  UNION ALL SELECT pg_catalog.concat('subscription ', pg_catalog.quote_ident(b.subname)), 0, false,
      pg_catalog.concat_ws(' ', b.subowner, b.subslotname, b.subpublications) FROM pg_catalog.pg_subscription AS b WHERE b.subdbid = ${OWN_DATABASE}
  UNION ALL SELECT pg_catalog.concat('event trigger ', pg_catalog.quote_ident(v.evtname)), 0, false,
      pg_catalog.concat_ws(' ', v.evtowner, v.evtevent, v.evtenabled, v.evtfoid, v.evttags) FROM pg_catalog.pg_event_trigger AS v
  UNION ALL SELECT pg_catalog.concat('extension ', pg_catalog.quote_ident(x.extname)), x.oid, true, pg_catalog.concat_ws(' ', x.extversion, x.extnamespace, x.extowner) FROM pg_catalog.pg_extension AS x
  UNION ALL SELECT pg_catalog.concat('schema ', pg_catalog.quote_ident(n.nspname)), n.oid, true, pg_catalog.concat_ws(' ', n.nspowner, n.nspacl) FROM pg_catalog.pg_namespace AS n WHERE ${OWN_NAMESPACES}
  UNION ALL SELECT pg_catalog.concat('default privileges of ', u.defaclrole::pg_catalog.regrole, ' for ', u.defaclobjtype, ' in ', u.defaclnamespace::pg_catalog.regnamespace),
      0, false, u.defaclacl::text FROM pg_catalog.pg_default_acl AS u
  UNION ALL SELECT pg_catalog.concat('mapping of text search configuration ', m.mapcfg::pg_catalog.regconfig, ' for token ', m.maptokentype), 0, false,
      pg_catalog.string_agg(m.mapdict::text, ',' ORDER BY m.mapseqno) FROM pg_catalog.pg_ts_config_map AS m WHERE m.mapcfg >= 16384 GROUP BY m.mapcfg, m.maptokentype
  UNION ALL SELECT pg_catalog.concat('settings of the database', CASE WHEN g.setrole <> 0 THEN pg_catalog.concat(' for the role ', g.setrole::pg_catalog.regrole) END),
      0, false, g.setconfig::text FROM pg_catalog.pg_db_role_setting AS g WHERE g.setdatabase = ${OWN_DATABASE}
  UNION ALL SELECT 'database', 0, false, pg_catalog.concat_ws(' ', ${OF_DATABASE.join(', ')}) FROM pg_catalog.pg_database AS b WHERE b.datname = pg_catalog.current_database()
  -- One on an object that is new as well is harmless.
  UNION ALL SELECT pg_catalog.concat('comment on ', pg_catalog.pg_describe_object(d.classoid, d.objoid, d.objsubid)), ${COMMENTED}, false, d.description
    FROM pg_catalog.pg_description AS d WHERE (d.objoid >= 16384 OR d.objoid = ${PUBLIC}) AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c
      WHERE c.oid = d.objoid AND c.relpersistence = 't')
  UNION ALL SELECT pg_catalog.concat('language ', l.lanname), l.oid, true, pg_catalog.concat_ws(' ', l.lanowner, l.lanacl, l.lanplcallfoid) FROM pg_catalog.pg_language AS l
  UNION ALL SELECT pg_catalog.concat('user mapping for ', u.usename, ' on ', u.srvname), 0, true, u.umoptions::text FROM pg_catalog.pg_user_mappings AS u
  ${OTHER_CATALOGS.map(
    (
      name,
    ) => `UNION ALL SELECT pg_catalog.pg_describe_object(o.tableoid, o.oid, 0), o.oid, true, pg_catalog.md5(pg_catalog.to_jsonb(o)::text)
    FROM pg_catalog.${name} AS o WHERE o.oid >= 16384`,
  ).join('\n  ')}`

/**
 * Finds the differences by one statement that reads the catalog once. The hash is computed first, so that the
 * next check notices concurrent changes.
 */
const CHANGES = `WITH catalog AS MATERIALIZED (SELECT ${CATALOG_FUNCTION} AS now),
  found AS MATERIALIZED (${DEFINITIONS_QUERY}),
  changes AS MATERIALIZED (
    SELECT coalesce(f.object, k.object) AS object, k.definition AS was, f.definition AS now, coalesce(f.relation, k.relation) AS relation, f.free
    FROM found AS f FULL JOIN ${DEFINITIONS} AS k ON k.object = f.object WHERE k.definition IS DISTINCT FROM f.definition),
  added(oid) AS MATERIALIZED (SELECT c.relation FROM changes AS c
    WHERE c.was IS NULL AND NOT EXISTS (SELECT FROM ${DEFINITIONS} AS t WHERE t.relation = c.relation)),
  ${SHADOWING}
  SELECT c.object, c.was, c.now, c.was IS NULL AND (c.free
      OR c.relation <> 0 AND NOT EXISTS (SELECT FROM ${DEFINITIONS} AS t WHERE t.relation = c.relation))
      AND (c.object ~ '^(column|constraint|index|trigger|rule|policy|comment on) ' OR c.relation NOT IN (SELECT s.oid FROM shadowing AS s)) AS harmless,
    (SELECT k.now FROM catalog AS k) AS catalog
  FROM (SELECT) AS one LEFT JOIN changes AS c ON true ORDER BY c.object`

/**
 * Returns the differences from the schema at the start of the session. If there are none, the next check
 * compares with the current hash.
 */
export async function schemaChanges(connection: Connection): Promise<SchemaChange[]> {
  const rows = await readCatalog(connection, CHANGES)
  const changes = rows.flatMap(({ object, was, now, harmless }): SchemaChange[] =>
    object === null
      ? []
      : [
          {
            object: String(object),
            was: was === null ? undefined : String(was),
            is: now === null ? undefined : String(now),
            isHarmless: harmless === true,
          },
        ],
  )
  if (changes.length === 0) {
    await readCatalog(
      connection,
      `SELECT pg_catalog.set_config('afresh.catalog', '${String(rows[0]?.catalog)}', false)`,
    )
  }
  return changes
}

export async function definitionsHash(connection: Connection): Promise<string> {
  const [row] = await readCatalog(
    connection,
    `SELECT pg_catalog.md5(pg_catalog.concat(
      pg_catalog.string_agg(pg_catalog.concat(d.object, ' ', d.definition), ';' ORDER BY d.object COLLATE "C"), ${ALL_OBJECTS})) AS hash
    FROM (${DEFINITIONS_QUERY}) AS d`,
  )
  return String(row?.hash)
}
