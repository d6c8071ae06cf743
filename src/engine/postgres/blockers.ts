import type { Connection } from '../connection.ts'
import { describeBlockers } from '../describe-blockers.ts'
import { readCatalog } from './catalog.ts'

/**
 * Describes the other sessions that hold locks or an open transaction in this database. Called after a wait
 * timed out, so that people find the test that left one open.
 */
export async function blockersOf(connection: Connection): Promise<string> {
  const rows = await readCatalog(connection, BLOCKERS).catch(() => [])
  if (rows.length === 0) return 'The session that held the lock has ended; reset again.'
  return describeBlockers(
    rows.map(({ who, state, query, own }) => ({ text: `${who}, ${state}: ${query}`, isOwn: own === true })),
  )
}

const BLOCKERS = `
SELECT concat('process ', a.pid, ' (', coalesce(nullif(a.application_name, ''), 'no application name'), ', user ', a.usename, ')') AS who,
  concat(a.state, ' for ', date_trunc('second', clock_timestamp() - coalesce(a.xact_start, a.query_start))) AS state,
  left(regexp_replace(a.query, '[[:space:]]+', ' ', 'g'), 200) AS query, a.application_name ~ '^afresh( |$)' AS own
FROM pg_catalog.pg_stat_activity a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL
UNION ALL
SELECT concat('prepared transaction ', quote_literal(p.gid)), concat('since ', p.prepared), concat('ROLLBACK PREPARED ', quote_literal(p.gid)), false
FROM pg_catalog.pg_prepared_xacts p WHERE p.database = current_database()`
