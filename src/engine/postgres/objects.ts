import type { Connection } from '../connection.ts'

// FirstNormalObjectId in src/include/access/transam.h: every new database contains the lower oids.
const OWN = 'OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid'

const CATALOGS = ['pg_class', 'pg_proc', 'pg_type', 'pg_namespace', 'pg_extension', 'pg_event_trigger']

/**
 * Counts the objects that were created in the database: relations, routines, types, schemas, extensions and
 * others.
 */
export async function countObjects(connection: Connection): Promise<number> {
  const counts = CATALOGS.map(
    (catalog) =>
      `SELECT pg_catalog.count(*) AS n FROM pg_catalog.${catalog} AS c WHERE c.oid ${OWN}${TEMPORARY[catalog] ?? ''}`,
  )
  const [row] = await connection.query(
    `SELECT pg_catalog.sum(c.n)::pg_catalog.text AS n FROM (${counts.join(' UNION ALL ')}) AS c`,
  )
  return Number(row?.n)
}

/** Excludes objects of a session. */
const NOT_TEMPORARY = `OPERATOR(pg_catalog.=) 'p'`
const TEMPORARY: Readonly<Record<string, string>> = {
  pg_class: ` AND c.relpersistence ${NOT_TEMPORARY}`,
  pg_namespace: ` AND c.nspname OPERATOR(pg_catalog.!~) '^pg_'`,
}
