import type { TableId } from '../../schema/schema.ts'
import type { ColumnFacts, RowDialect } from '../row-dialect.ts'
import { ident, literal, qualified } from './quote.ts'

export const rows: RowDialect = {
  ident,
  literal,
  qualified,
  asText: (expression) => `${expression}::text`,
  draw: (sequence) => `SELECT pg_catalog.nextval(${literal(qualified(sequence))}::pg_catalog.regclass)`,
  asColumn: (expression, { type }) => `CAST(${expression} AS ${type})`,
  uncheck: 'SET session_replication_role = replica',

  async uniques(connection, schema) {
    const found = new Map<TableId, string[][]>(schema.tables.map(({ id }) => [id, []]))
    for (const { table, columns } of await connection.query(UNIQUES)) {
      found.get(String(table))?.push(texts(columns))
    }
    return found
  },

  async facts(connection, schema) {
    const found = new Map<TableId, ColumnFacts[]>(schema.tables.map(({ id }) => [id, []]))
    for (const row of await connection.query(FACTS)) {
      found.get(String(row.table))?.push({
        name: String(row.name),
        type: String(row.type).toLowerCase(),
        labels: texts(row.labels),
        hasDefault: row.has_default === true,
        automatic: row.automatic === true,
        conditions: texts(row.conditions),
      })
    }
    return found
  },
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

/**
 * Includes exclusion constraints. The columns of an expression or a predicate are those that the index
 * depends on.
 */
const UNIQUES = `
SELECT x.indrelid::text AS table, json_agg(a.attname ORDER BY a.attnum) AS columns
FROM pg_catalog.pg_index x JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum > 0
WHERE (x.indisunique OR x.indisexclusion) AND (a.attnum = ANY (x.indkey::int2[])
  OR EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND d.objid = x.indexrelid AND d.refobjid = x.indrelid AND d.refobjsubid = a.attnum))
GROUP BY x.indexrelid, x.indrelid ORDER BY x.indexrelid`

/** The bounds of the partitions at any depth below a table, for its partition key columns. */
const BOUNDS = `SELECT pg_catalog.pg_get_expr(p.relpartbound, p.oid)
  FROM pg_catalog.pg_partition_tree(a.attrelid) AS tree JOIN pg_catalog.pg_class p ON p.oid = tree.relid
  JOIN pg_catalog.pg_partitioned_table k ON k.partrelid = a.attrelid
  WHERE tree.parentrelid IS NOT NULL AND a.attnum = ANY (k.partattrs)`

const FACTS = `
SELECT a.attrelid::text AS table, a.attname AS name,
  pg_catalog.format_type(b.oid, CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END) AS type,
  (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = b.oid) AS labels,
  a.atthasdef AS has_default,
  a.attidentity <> '' OR a.attgenerated <> ''
    OR coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE '%nextval(%', false) AS automatic,
  (SELECT json_agg(c.condition) FROM (
    SELECT pg_catalog.pg_get_constraintdef(k.oid) AS condition FROM pg_catalog.pg_constraint k
      WHERE k.contype = 'c' AND (k.contypid = t.oid OR k.conrelid = a.attrelid AND a.attnum = ANY (k.conkey))
    UNION ALL ${BOUNDS}) AS c) AS conditions
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
JOIN pg_catalog.pg_class r ON r.oid = a.attrelid AND r.relkind IN ('r', 'p')
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped
  AND r.relnamespace NOT IN (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema'))
ORDER BY a.attrelid, a.attnum`
