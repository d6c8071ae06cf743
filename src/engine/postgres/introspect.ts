import type {
  Column,
  ForeignKey,
  PartitionName,
  ReferentialAction,
  Schema,
  Storage,
  Table,
  TableTrait,
} from '../../schema/schema.ts'
import { defaultFrom } from '../column-default.ts'
import type { Connection, Row } from '../connection.ts'
import { readCatalog } from './catalog.ts'

import { FROM_EXTENSION } from './extension-tables.ts'
import { named, OWN_NAMESPACES, readSequences } from './introspect-sequences.ts'
import { inOrderOfReading } from './view-order.ts'

/**
 * Reads the catalog by oid throughout: truncated names may collide, constraints of different tables may share
 * a name, and `search_path` is unreliable. A clone has the oids of its template, so ids are the same in both.
 * Only the roots of partitioned tables are listed, not their partitions.
 */
export async function introspect(connection: Connection): Promise<Schema> {
  const tables = await inOrderOfReading(connection, (await readCatalog(connection, TABLES)).map(tableFrom))
  const foreignKeys = (await readCatalog(connection, FOREIGN_KEYS)).map(foreignKeyFrom)
  return { tables, foreignKeys, sequences: await readSequences(connection) }
}

/** All descendants of a table: partitions and inheritance children. */
const DESCENDANTS = `WITH RECURSIVE below(oid) AS (
    SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid
    UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN below ON i.inhparent = below.oid)`

/**
 * The files of a table and its indexes, partitions included; a TOAST table has an index of its own. OFFSET
 * keeps the lookups apart: the planner assumes 1,000 members per partition tree, and would read the whole
 * catalog for each table.
 */
const STORAGE = `(SELECT json_build_object('files', sum(parts.files), 'indexes', max(parts.indexes))
    FROM (SELECT c.oid UNION SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) AS t WHERE c.relkind = 'p') AS part
    CROSS JOIN LATERAL (SELECT CASE WHEN s.relkind = 'p' THEN 0
        ELSE 1 + CASE WHEN s.reltoastrelid <> 0 THEN 2 ELSE 0 END
          + (SELECT count(*) FROM pg_catalog.pg_index x WHERE x.indrelid = s.oid) END AS files,
        (SELECT count(*) FROM pg_catalog.pg_index x WHERE x.indrelid = s.oid AND NOT x.indisprimary) AS indexes
      FROM pg_catalog.pg_class s WHERE s.oid = part.oid OFFSET 0) AS parts)`

/** Materialized views come last, in creation order; see `inOrderOfReading`. */
const TABLES = `
SELECT c.oid::text AS id, n.nspname AS schema, c.relname AS name, c.relkind AS kind, c.relpersistence AS persistence, c.relispopulated AS populated,
  c.relrowsecurity AS row_security, ${FROM_EXTENSION} AS extension,
  (${DESCENDANTS} SELECT bool_or(f.relkind = 'f') FROM below JOIN pg_catalog.pg_class f ON f.oid = below.oid) AS foreign_below,
  CASE WHEN c.relkind = 'p' THEN (${DESCENDANTS} SELECT json_agg(p.relname ORDER BY p.relname)
    FROM below JOIN pg_catalog.pg_class p ON p.oid = below.oid) END AS partitions,
  (SELECT json_agg(i.inhparent::text ORDER BY i.inhseqno) FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid) AS inherits,
  (SELECT json_agg(json_build_object('name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
      'exact', (SELECT pg_catalog.format_type(b.oid, NULL) FROM pg_catalog.pg_type AS y
        JOIN pg_catalog.pg_type AS b ON b.oid = CASE y.typtype WHEN 'd' THEN y.typbasetype ELSE y.oid END WHERE y.oid = a.atttypid),
      'domain', (SELECT y.typtype = 'd' FROM pg_catalog.pg_type AS y WHERE y.oid = a.atttypid),
      'default', CASE WHEN NOT a.attnotnull AND a.attgenerated = '' THEN coalesce(
        (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_attrdef AS d WHERE a.atthasdef AND d.adrelid = a.attrelid AND d.adnum = a.attnum),
        (SELECT y.typdefault FROM pg_catalog.pg_type AS y WHERE y.oid = a.atttypid)) END,
      'nullable', NOT a.attnotnull, 'generated', a.attgenerated <> '', 'identity', a.attidentity) ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
  (SELECT json_agg(a.attname ORDER BY k.ordinal) FROM pg_catalog.pg_index x
    CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY AS k(attnum, ordinal)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
    WHERE x.indrelid = c.oid AND x.indisprimary AND k.ordinal <= x.indnkeyatts) AS primary_key,
  (SELECT json_agg(fires.name ORDER BY fires.name) FROM (
    SELECT t.tgname AS name FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal
    UNION ALL SELECT r.rulename FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type IN ('2', '3', '4')
  ) fires) AS triggers,
  -- The column is there from 18 on.
  EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f'
    AND pg_catalog.to_jsonb(k) ->> 'conenforced' = 'false') AS unenforced,
  EXISTS (SELECT FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
      AND d.refclassid = 'pg_catalog.pg_class'::regclass JOIN pg_catalog.pg_class f ON f.oid = d.refobjid AND f.relkind = 'f'
    WHERE r.ev_class = c.oid AND r.ev_type IN ('2', '4') AND r.ev_enabled <> 'D') AS rule_on_foreign,
  ${STORAGE} AS storage
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'm') AND NOT c.relispartition AND ${OWN_NAMESPACES}
ORDER BY c.relkind = 'm', CASE WHEN c.relkind = 'm' THEN c.oid END, n.nspname, c.relname`

/**
 * A key declared on a partition counts as its root's. The copies that the server keeps per partition are
 * omitted.
 */
const FOREIGN_KEYS = `
SELECT k.conname AS name, coalesce(pg_catalog.pg_partition_root(k.conrelid), k.conrelid)::oid::text AS from_table,
  coalesce(pg_catalog.pg_partition_root(k.confrelid), k.confrelid)::oid::text AS to_table,
  k.confdeltype AS on_delete, k.confupdtype AS on_update, k.condeferrable AS deferrable,
  pg_catalog.to_jsonb(k) ->> 'conenforced' = 'false' AS unenforced,
  pg_catalog.to_jsonb(k) ->> 'conperiod' = 'true' AS temporal,
  EXISTS (SELECT FROM pg_catalog.pg_index x WHERE x.indrelid = k.conrelid AND x.indisvalid AND x.indpred IS NULL
    AND (x.indkey::int2[])[0:pg_catalog.cardinality(k.conkey) - 1] @> k.conkey) AS indexed,
  (SELECT json_agg(a.attname ORDER BY a.attnum) FROM unnest(k.confdelsetcols) AS s(attnum)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = s.attnum) AS set_columns,
  (SELECT json_agg(pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname) ORDER BY e.ordinal)
    FROM unnest(k.conpfeqop) WITH ORDINALITY AS e(oid, ordinal) JOIN pg_catalog.pg_operator o ON o.oid = e.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace HAVING bool_or(n.nspname <> 'pg_catalog')) AS operators,
  (SELECT json_build_object('schema', n.nspname, 'name', c.relname) FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = k.conrelid AND c.relispartition) AS from_partition,
  (SELECT json_build_object('schema', n.nspname, 'name', c.relname) FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = k.confrelid AND c.relispartition) AS to_partition,
  (SELECT json_agg(a.attname ORDER BY p.ordinal) FROM unnest(k.conkey) WITH ORDINALITY AS p(attnum, ordinal)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.attnum) AS columns,
  (SELECT json_agg(a.attname ORDER BY p.ordinal) FROM unnest(k.confkey) WITH ORDINALITY AS p(attnum, ordinal)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = p.attnum) AS referenced_columns
FROM pg_catalog.pg_constraint k WHERE k.contype = 'f' AND k.conparentid = 0
ORDER BY k.conrelid, k.conname`

function tableFrom(row: Row): Table {
  const isForeign = row.kind === 'f' || row.foreign_below === true
  const traits: [boolean, TableTrait][] = [
    [row.unenforced === true, 'unenforced'],
    [row.kind === 'p', 'partitioned'],
    [row.kind === 'm', 'materialized'],
    [row.kind === 'm' && row.populated === false, 'unfilled'],
    [isForeign, 'foreign'],
    [row.rule_on_foreign === true, 'rule-on-foreign'],
    [row.persistence === 'u', 'unlogged'],
    [row.extension === true, 'extension'],
    [row.row_security === true, 'row-security'],
  ]
  return {
    id: String(row.id),
    ...named(row),
    columns: list(row.columns).map(columnFrom),
    primaryKey: texts(row.primary_key),
    traits: traits.filter(([holds]) => holds).map(([, trait]) => trait),
    triggers: texts(row.triggers),
    inherits: texts(row.inherits),
    partitions: texts(row.partitions),
    storage: row.storage as Storage,
  }
}

function columnFrom(value: unknown): Column {
  const column = value as {
    name: string
    type: string
    exact: string
    domain: boolean
    nullable: boolean
    generated: boolean
    identity: string
    default: string | null
  }
  const { name, type, nullable, generated } = column
  const identity = column.identity === 'a' ? 'always' : column.identity === 'd' ? 'by default' : undefined
  const [, array] = NAMES_ALIKE.exec(column.exact) ?? []
  return {
    ...{ name, type, nullable, generated, identity },
    ...defaultFrom(column.default),
    ...(column.domain && { baseType: column.exact }),
    ...(array !== undefined && { exactType: `pg_catalog.oid${array}` }),
  }
}

/** These types write overloaded functions and operators alike, and cannot read them back. */
const NAMES_ALIKE = /^reg(?:proc|oper)((?:\[\])?)$/

/** The codes of `pg_constraint.confdeltype`. */
const ACTIONS: Readonly<Record<string, ReferentialAction>> = {
  a: 'no action',
  r: 'restrict',
  c: 'cascade',
  n: 'set null',
  d: 'set default',
}

function foreignKeyFrom(row: Row): ForeignKey {
  return {
    name: String(row.name),
    from: String(row.from_table),
    columns: texts(row.columns),
    to: String(row.to_table),
    referencedColumns: texts(row.referenced_columns),
    onDelete: ACTIONS[String(row.on_delete)] ?? 'no action',
    onUpdate: ACTIONS[String(row.on_update)] ?? 'no action',
    deferrable: row.deferrable === true,
    ...(row.indexed === false && { indexed: false as const }),
    ...(row.unenforced === true && { enforced: false as const }),
    ...(row.set_columns !== null && { setColumns: texts(row.set_columns) }),
    ...operatorsOf(row),
    ...partitionOf(row.from_partition, row.to_partition),
  }
}

/**
 * A temporal key references all rows whose period (the last column) overlaps, not only one with an equal
 * period.
 */
function operatorsOf(row: Row): Pick<ForeignKey, 'operators'> {
  const declared = row.operators === null ? undefined : texts(row.operators)
  if (row.temporal !== true) return declared === undefined ? {} : { operators: declared }
  const equal = declared ?? texts(row.columns).map(() => '=')
  return { operators: [...equal.slice(0, -1), 'OPERATOR(pg_catalog.&&)'] }
}

function partitionOf(from: unknown, to: unknown): Pick<ForeignKey, 'partition'> {
  if (from === null && to === null) return {}
  return {
    partition: {
      ...(from !== null && { from: from as PartitionName }),
      ...(to !== null && { to: to as PartitionName }),
    },
  }
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function texts(value: unknown): string[] {
  return list(value).map(String)
}
