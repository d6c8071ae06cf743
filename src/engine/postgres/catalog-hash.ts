export const CATALOG_FUNCTION = 'pg_temp.afresh_catalog()'

/** Catalogs without a query of their own: their objects belong to no table, new ones are harmless. */
export const OTHER_CATALOGS = [
  'pg_operator',
  'pg_opclass',
  'pg_cast',
  'pg_collation',
  'pg_conversion',
  'pg_ts_config',
  'pg_ts_dict',
  'pg_statistic_ext',
  'pg_foreign_data_wrapper',
  'pg_foreign_server',
  'pg_opfamily',
  'pg_amop',
  'pg_amproc',
  'pg_am',
  'pg_ts_parser',
  'pg_ts_template',
  'pg_transform',
]

/** A join condition: `o` is the dependency of a sequence on a column, by OWNED BY, serial or identity. */
export const OWNER_OF = (
  sequence: string,
) => `o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.objid = ${sequence}
        AND o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.deptype IN ('a', 'i')`

export const OWN_DATABASE =
  '(SELECT b.oid FROM pg_catalog.pg_database AS b WHERE b.datname = pg_catalog.current_database())'

/** NOT VALID constraints, which a reset may drop and add again. */
const IS_RECREATED = `NOT k.convalidated AND k.contype IN ('c', 'n', 'f')`

/** What ALTER DATABASE, GRANT and REVOKE change. */
export const OF_DATABASE = [
  'b.datdba',
  'b.datallowconn',
  'b.datconnlimit',
  'b.datistemplate',
  'b.datacl::text',
]

/** The oid of the schema "public", which initdb makes and users comment on. */
export const PUBLIC = 2200

/** The types that are no tables, no arrays and no multiranges, which follow from others. */
export const OF_TYPES = `y.oid >= 16384 AND y.typtype IN ('d', 'e', 'r', 'b') AND y.typcategory <> 'A'`

const hash = (...columns: string[]) => `pg_catalog.hash_record_extended(ROW(${columns.join(', ')}), 0)`

/** Catalogs that only superusers may read as a whole: what every role may read of them. */
export const RESTRICTED_CATALOGS: ReadonlyMap<string, string> = new Map([
  [
    'pg_user_mapping',
    `SELECT ${hash("'user mapping'::text", 'u.umid', 'u.srvid', 'u.umuser', 'u.umoptions')} FROM pg_catalog.pg_user_mappings AS u`,
  ],
  [
    'pg_subscription',
    `SELECT ${hash("'subscription'::text", 'b.oid', 'b.subname', 'b.subowner', 'b.subslotname', 'b.subpublications')} FROM pg_catalog.pg_subscription AS b WHERE b.subdbid = ${OWN_DATABASE}`,
  ],
])

/**
 * The body of `afresh_catalog`. Rows of catalogs that resets do not write to are identified by their version
 * (xmin). The others are identified by their columns, since a reset disables and enables triggers and gives
 * tables new files. Temporary tables are not part of the schema.
 */
export const CATALOG_QUERY = `WITH temporary AS MATERIALIZED (SELECT c.oid FROM pg_catalog.pg_class AS c WHERE c.relpersistence = 't' OR c.relkind = 't' OR c.relkind IN ('i', 'I')),
  rows(h) AS (
    SELECT ${hash('c.oid', 'c.relname', 'c.relnamespace', 'c.relkind', 'c.relpersistence', 'c.relnatts', 'c.relispartition', 'c.relrowsecurity', 'c.relforcerowsecurity', 'c.relreplident', 'c.relowner', 'c.reloftype', 'c.reloptions', 'c.relacl::text')}
      FROM pg_catalog.pg_class AS c WHERE c.relkind IN ('r', 'p', 'm', 'S', 'v', 'f', 'c', 'i', 'I') AND c.relpersistence <> 't' AND c.oid >= 16384
    UNION ALL SELECT ${hash('a.tableoid', 'a.attrelid', 'a.attnum', 'a.xmin')} FROM pg_catalog.pg_attribute AS a
      WHERE a.attrelid >= 16384 AND a.attnum > 0 AND NOT EXISTS (SELECT FROM temporary AS t WHERE t.oid = a.attrelid)
    UNION ALL SELECT ${hash('d.tableoid', 'd.oid', 'd.xmin')} FROM pg_catalog.pg_attrdef AS d
      WHERE NOT EXISTS (SELECT FROM temporary AS t WHERE t.oid = d.adrelid)
    UNION ALL SELECT ${hash('k.tableoid', 'k.conrelid', 'k.conname', `CASE WHEN NOT (${IS_RECREATED}) THEN k.xmin END`, `CASE WHEN ${IS_RECREATED} THEN coalesce(k.conbin::text, pg_catalog.pg_get_constraintdef(k.oid)) END`)}
      FROM pg_catalog.pg_constraint AS k WHERE k.oid >= 16384 AND NOT EXISTS (SELECT FROM temporary AS t WHERE t.oid = k.conrelid)
    UNION ALL SELECT ${hash('x.tableoid', 'x.indexrelid', 'x.indisunique', 'x.indisvalid', 'x.indisready', 'x.indisexclusion', 'x.indimmediate', 'x.indisreplident')} FROM pg_catalog.pg_index AS x
      WHERE x.indexrelid >= 16384 AND NOT EXISTS (SELECT FROM temporary AS t WHERE t.oid = x.indrelid)
    UNION ALL SELECT ${hash('g.tableoid', 'g.oid', 'g.tgname', 'g.tgenabled', 'g.tgfoid', 'g.tgtype', 'g.tgargs', 'g.tgattr::int2[]', 'g.tgqual::text', 'g.tgdeferrable', 'g.tginitdeferred')} FROM pg_catalog.pg_trigger AS g
      WHERE NOT EXISTS (SELECT FROM temporary AS t WHERE t.oid = g.tgrelid)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.oid = g.tgconstraint AND k.contype = 'f' AND NOT k.convalidated)
    UNION ALL SELECT ${hash('r.tableoid', 'r.oid', 'r.rulename', 'r.ev_enabled', "CASE WHEN r.ev_type = '1' THEN r.xmin END", "CASE WHEN r.ev_type <> '1' THEN pg_catalog.concat(r.ev_qual, r.ev_action) END")} FROM pg_catalog.pg_rewrite AS r WHERE r.oid >= 16384
    UNION ALL SELECT ${hash('n.tableoid', 'n.oid', 'n.nspname', 'n.nspowner', 'n.nspacl::text')} FROM pg_catalog.pg_namespace AS n WHERE n.nspname !~ '^pg_'
    UNION ALL SELECT ${hash('i.tableoid', 'i.inhrelid', 'i.inhparent', 'i.inhdetachpending')} FROM pg_catalog.pg_inherits AS i
    UNION ALL SELECT ${hash('s.tableoid', 's.seqrelid', 's.seqtypid', 's.seqstart', 's.seqincrement', 's.seqmax', 's.seqmin', 's.seqcache', 's.seqcycle')}
      FROM pg_catalog.pg_sequence AS s WHERE NOT EXISTS (SELECT FROM temporary AS t WHERE t.oid = s.seqrelid)
    UNION ALL SELECT ${hash('s.tableoid', 's.seqrelid', 'o.refobjid', 'o.refobjsubid')} FROM pg_catalog.pg_sequence AS s
      JOIN pg_catalog.pg_depend AS o ON ${OWNER_OF('s.seqrelid')} WHERE NOT EXISTS (SELECT FROM temporary AS t WHERE t.oid = s.seqrelid)
    UNION ALL SELECT ${hash("'database'::text", ...OF_DATABASE)} FROM pg_catalog.pg_database AS b WHERE b.datname = pg_catalog.current_database()
    UNION ALL SELECT ${hash('d.tableoid', 'd.objoid', 'd.classoid', 'd.objsubid', 'd.xmin')} FROM pg_catalog.pg_description AS d
      WHERE (d.objoid >= 16384 OR d.objoid = ${PUBLIC}) AND NOT EXISTS (SELECT FROM temporary AS t WHERE t.oid = d.objoid)
    UNION ALL SELECT ${hash('l.tableoid', 'l.oid', 'l.xmin')} FROM pg_catalog.pg_language AS l
    UNION ALL SELECT ${hash('f.tableoid', 'f.ftrelid', 'f.xmin')} FROM pg_catalog.pg_foreign_table AS f
    ${[...RESTRICTED_CATALOGS.values()].map((query) => `UNION ALL ${query}`).join('\n    ')}
    UNION ALL SELECT ${hash('g.tableoid', 'g.setrole', 'g.setconfig')} FROM pg_catalog.pg_db_role_setting AS g WHERE g.setdatabase = ${OWN_DATABASE}
    UNION ALL SELECT ${hash('m.tableoid', 'm.mapcfg', 'm.maptokentype', 'm.mapseqno', 'm.mapdict')} FROM pg_catalog.pg_ts_config_map AS m
      WHERE m.mapcfg >= 16384
    UNION ALL SELECT ${hash('p.tableoid', 'p.oid', 'p.xmin')} FROM pg_catalog.pg_proc AS p
      WHERE p.oid >= 16384 AND p.pronamespace <> pg_catalog.pg_my_temp_schema()
    UNION ALL SELECT ${hash('y.tableoid', 'y.oid', 'y.xmin')} FROM pg_catalog.pg_type AS y WHERE ${OF_TYPES}
    ${[
      'pg_enum',
      'pg_policy',
      'pg_publication',
      'pg_publication_rel',
      'pg_publication_namespace',
      'pg_event_trigger',
      'pg_extension',
      'pg_default_acl',
      ...OTHER_CATALOGS,
    ]
      .map(
        (name) =>
          `UNION ALL SELECT ${hash('o.tableoid', 'o.oid', 'o.xmin')} FROM pg_catalog.${name} AS o WHERE o.oid >= 16384`,
      )
      .join('\n    ')}
  )
  SELECT pg_catalog.concat_ws(' ', count(*), bit_xor(h)) FROM rows`

/** The catalogs that the query reads. WAL records name them after a write. */
export const WATCHED_CATALOGS = [...new Set(CATALOG_QUERY.match(/(?<=pg_catalog\.)pg_[a-z_]+(?= AS )/g))].map(
  // A view that every role may read.
  (name) => (name === 'pg_user_mappings' ? 'pg_user_mapping' : name),
)
