import type { Connection } from '../connection.ts'
import type { LockHolder } from '../lock-holder.ts'
import { readCatalog } from './catalog.ts'
import { holdersOf } from './ownership.ts'
import { literal } from './quote.ts'

/** Bytes on disk of each database that exists and that the role may connect to. */
export async function sizesOf(
  connection: Connection,
  names: readonly string[],
): Promise<Map<string, number>> {
  if (names.length === 0) return new Map()
  const rows = await readCatalog(
    connection,
    `SELECT d.datname AS name, pg_catalog.pg_database_size(d.oid)::text AS bytes FROM pg_catalog.pg_database AS d
      WHERE d.datname IN (${names.map(literal).join(', ')})
      AND (pg_catalog.has_database_privilege(d.oid, 'CONNECT') OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'))`,
  )
  return new Map(rows.map(({ name, bytes }) => [String(name), Number(bytes)]))
}

export async function holderOf(connection: Connection, key: string): Promise<LockHolder | undefined> {
  const [row] = await readCatalog(
    connection,
    `SELECT h.pid, a.application_name AS application,
        concat(a.usename, '@', coalesce(host(a.client_addr), 'this machine')) AS client
      FROM (SELECT l.pid ${holdersOf(key)} LIMIT 1) AS h LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = h.pid`,
  )
  if (row === undefined) return undefined
  const { pid, application, client } = row
  return {
    session: Number(pid),
    application: typeof application === 'string' ? application : undefined,
    client: String(client),
  }
}
