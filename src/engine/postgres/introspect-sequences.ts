import type { Sequence } from '../../schema/schema.ts'
import type { Connection, Row } from '../connection.ts'
import { readCatalog } from './catalog.ts'
import { FROM_EXTENSION } from './extension-tables.ts'
import { qualified } from './quote.ts'
import { readWithLockTimeout } from './with-lock-timeout.ts'

/** A condition: `n` is neither a system schema nor a temporary one. */
export const OWN_NAMESPACES = `n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\\_temp\\_%' AND n.nspname NOT LIKE 'pg\\_toast\\_temp\\_%'`

const SEQUENCES = `
SELECT c.oid::text AS id, n.nspname AS schema, c.relname AS name, s.seqstart::text AS start,
  s.seqincrement::text AS increment, s.seqmin::text AS min, s.seqmax::text AS max, s.seqcache::text AS cache,
  coalesce(pg_catalog.pg_partition_root(o.refobjid), o.refobjid)::oid::text AS owner, a.attname AS owner_column
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid
LEFT JOIN pg_catalog.pg_depend o ON o.classid = 'pg_catalog.pg_class'::regclass AND o.objid = c.oid
  AND o.refclassid = 'pg_catalog.pg_class'::regclass AND o.refobjsubid > 0 AND o.deptype IN ('a', 'i')
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = o.refobjid AND a.attnum = o.refobjsubid
WHERE c.relkind = 'S' AND ${OWN_NAMESPACES} AND NOT ${FROM_EXTENSION}
ORDER BY n.nspname, c.relname`

export async function readSequences(connection: Connection): Promise<Sequence[]> {
  const rows = await readCatalog(connection, SEQUENCES)
  const positions = await readPositions(connection, rows)
  return rows.map((row) => sequenceFrom(row, positions.get(String(row.id))))
}

async function readPositions(connection: Connection, sequences: readonly Row[]): Promise<Map<string, Row>> {
  if (sequences.length === 0) return new Map()
  const reads = sequences.map(
    (row) =>
      `SELECT '${row.id}' AS id, last_value::text AS value, is_called AS called FROM ${qualified(named(row))}`,
  )
  const rows = await readWithLockTimeout(connection, reads.join(' UNION ALL '))
  return new Map(rows.map((row) => [String(row.id), row]))
}

function sequenceFrom(row: Row, position: Row | undefined): Sequence {
  return {
    id: String(row.id),
    ...named(row),
    kind: 'sequence',
    ownedBy: row.owner === null ? undefined : { table: String(row.owner), column: String(row.owner_column) },
    start: BigInt(String(row.start)),
    increment: BigInt(String(row.increment)),
    min: BigInt(String(row.min)),
    max: BigInt(String(row.max)),
    cache: BigInt(String(row.cache)),
    position: { value: BigInt(String(position?.value)), called: position?.called === true },
  }
}

export function named(row: Row): { schema: string; name: string; label: string } {
  const schema = String(row.schema)
  const name = String(row.name)
  return { schema, name, label: schema === 'public' ? name : `${schema}.${name}` }
}
