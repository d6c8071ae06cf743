import type { Connection } from '../engine.ts'

/**
 * Who else holds locks or an open transaction in this database, in words: asked after a wait has timed out, for
 * people to find the test that left it.
 */
export async function blockersOf(connection: Connection): Promise<string> {
  const rows = await connection.query(BLOCKERS).catch(() => [])
  if (rows.length === 0) return 'Whoever held the lock is gone by now; reset again.'
  const lines = rows.map(({ who, state, query }) => `${who}, ${state}: ${query}`)
  return `End the transaction that is in the way (a test left it open):\n    ${lines.join('\n    ')}`
}

const BLOCKERS = `
SELECT 'process ' || a.pid || ' (' || coalesce(nullif(a.application_name, ''), 'no application name') || ', user ' || a.usename || ')' AS who,
  a.state || ' for ' || date_trunc('second', clock_timestamp() - coalesce(a.xact_start, a.query_start)) AS state,
  left(regexp_replace(a.query, '\\s+', ' ', 'g'), 200) AS query
FROM pg_catalog.pg_stat_activity a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL
UNION ALL
SELECT 'prepared transaction ' || quote_literal(p.gid), 'since ' || p.prepared, 'ROLLBACK PREPARED ' || quote_literal(p.gid)
FROM pg_catalog.pg_prepared_xacts p WHERE p.database = current_database()`
