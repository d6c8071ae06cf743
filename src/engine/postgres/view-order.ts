import { stronglyConnectedComponents } from '../../schema/graph.ts'
import type { Table, TableId } from '../../schema/schema.ts'
import type { Connection } from '../connection.ts'
import { readCatalog } from './catalog.ts'

/** The relations that each view reads, for materialized and other views. */
const READS = `SELECT DISTINCT r.ev_class::text AS view, d.refobjid::text AS relation
  FROM pg_catalog.pg_rewrite AS r JOIN pg_catalog.pg_depend AS d
    ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
      AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> r.ev_class
  WHERE r.ev_type = '1' AND r.ev_class >= 16384 AND d.refobjid >= 16384`

/**
 * Moves materialized views after those that they read, directly or through other views. Creation order is not
 * enough, because CREATE OR REPLACE VIEW may add a dependency later.
 */
export async function inOrderOfReading(connection: Connection, tables: readonly Table[]): Promise<Table[]> {
  const views = new Map(tables.filter(isView).map((table) => [table.id, table]))
  if (views.size < 2) return [...tables]
  const reads = new Map<TableId, TableId[]>()
  for (const { view, relation } of await readCatalog(connection, READS)) {
    reads.set(String(view), [...(reads.get(String(view)) ?? []), String(relation)])
  }
  const ordered = stronglyConnectedComponents([...views.keys()], (id) => reads.get(id) ?? [])
  return [...tables.filter((table) => !isView(table)), ...ordered.flat().flatMap((id) => views.get(id) ?? [])]
}

export function isView({ traits }: Table): boolean {
  return traits.includes('materialized')
}
