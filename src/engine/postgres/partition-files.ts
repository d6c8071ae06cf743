import type { Schema, TableId } from '../../schema/schema.ts'
import type { Connection } from '../connection.ts'
import { readWithLockTimeout } from './with-lock-timeout.ts'

/** Of `pg_class` as `c` and `pg_am` as `a`: whether a file without a block shows that there is no row. */
export const IS_SIZED = `c.relkind = 'r' AND a.amname = 'heap'`

/**
 * The partitioned tables without a row in any partition, found without opening each partition and its indexes
 * for a query: the file of a heap without a block has no row. Other tables may be empty too.
 */
export async function emptyPartitionedTables(
  connection: Connection,
  { tables }: Pick<Schema, 'tables'>,
): Promise<Set<TableId>> {
  const ids = tables.filter(({ traits }) => traits.includes('partitioned')).map(({ id }) => id)
  if (ids.length === 0) return new Set()
  const rows = await readWithLockTimeout(
    connection,
    `SELECT t.id::text AS id FROM unnest(ARRAY[${ids.join(', ')}]::oid[]) AS t(id)
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_partition_tree(t.id) AS p JOIN pg_catalog.pg_class AS c ON c.oid = p.relid
      LEFT JOIN pg_catalog.pg_am AS a ON a.oid = c.relam
      WHERE p.isleaf AND CASE WHEN ${IS_SIZED} THEN pg_catalog.pg_relation_size(c.oid) <> 0 ELSE c.relkind <> 'p' END)`,
  )
  return new Set(rows.map(({ id }) => String(id)))
}
