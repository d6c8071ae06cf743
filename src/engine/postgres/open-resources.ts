import { codeOf } from '../../errors.ts'
import type { Connection, Row } from '../connection.ts'
import type { OpenResourceFinder, OpenResourceKind } from '../open-resources.ts'
import { readCatalog } from './catalog.ts'
import { STATE_NAME } from './repair.ts'

/**
 * Finds what sessions hold open, in one query. The settings of another session are not visible.
 *
 * A statement ends before its client learns of it, so a session that is active here was not awaited.
 * https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
 */
export const openResources: OpenResourceFinder = {
  async begin(connection) {
    if (own.has(connection)) return
    const rows = await readCatalog(connection, SETTINGS)
    own.set(connection, new Set(rows.map(({ id }) => String(id))))
  },
  async find(connection) {
    const rows = (await findRows(connection)).filter(
      ({ id }) => own.get(connection)?.has(String(id)) !== true,
    )
    return rows.map(({ id, kind, session, text }) => ({
      id: String(id),
      kind: kind as OpenResourceKind,
      session: session === null ? undefined : Number(session),
      text: String(text),
    }))
  },
  async end(connection, sessions) {
    await readCatalog(
      connection,
      `SET LOCAL ROLE NONE; SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity AS a
       WHERE a.datname = pg_catalog.current_database() AND a.pid = ANY (ARRAY[${sessions.map(Number).join(', ')}]::int[])`,
    )
  },
}

/** The database settings that come from migrations. */
const own = new WeakMap<Connection, ReadonlySet<string>>()

const UNKNOWN_STATEMENT = '26000'

/**
 * Planning the query takes five times as long as running it, and it runs with each test. Concurrent calls
 * share one PREPARE.
 */
const prepared = new WeakMap<Connection, Promise<unknown>>()

async function findRows(connection: Connection): Promise<Row[]> {
  if (!connection.owned) return readCatalog(connection, FIND)
  await prepare(connection)
  const used = prepared.get(connection)
  try {
    return await connection.query('EXECUTE afresh_holds')
  } catch (error) {
    // Recreating a reset's program deallocates the prepared statements of the session.
    if (codeOf(error) !== UNKNOWN_STATEMENT) throw error
    if (prepared.get(connection) === used) prepared.delete(connection)
    await prepare(connection)
    return connection.query('EXECUTE afresh_holds')
  }
}

async function prepare(connection: Connection): Promise<void> {
  const preparing = prepared.get(connection) ?? connection.query(`PREPARE afresh_holds AS ${FIND}`)
  prepared.set(connection, preparing)
  try {
    await preparing
  } catch (error) {
    prepared.delete(connection)
    throw error
  }
}

const BUSY = `SELECT * FROM pg_catalog.pg_stat_activity AS s WHERE s.datname = pg_catalog.current_database()
  AND s.pid <> pg_catalog.pg_backend_pid() AND s.backend_type = 'client backend' AND (s.state = 'active' OR s.state LIKE 'idle in transaction%')`

const whoIs = (a: string) =>
  `concat('process ', ${a}.pid, ' (', coalesce(nullif(${a}.application_name, ''), 'no application name'), ')')`
const queryText = `left(regexp_replace(a.query, '\\s+', ' ', 'g'), 200)`
const keyOf = `CASE WHEN l.objsubid = 1 THEN (l.classid::bigint << 32 | l.objid::bigint)::text ELSE concat(l.classid, ', ', l.objid) END`

const SETTINGS = `
SELECT concat('setting ', s.setrole, ' ', c.config) AS id, 'setting of the database' AS kind, NULL::int AS session, c.config AS text
FROM pg_catalog.pg_db_role_setting AS s CROSS JOIN LATERAL unnest(s.setconfig) AS c (config)
WHERE s.setdatabase = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())`

const FIND = `
SELECT concat(a.pid, ' ', coalesce(a.xact_start, a.query_start)) AS id,
  CASE WHEN a.state = 'active' THEN 'running statement' ELSE 'open transaction' END AS kind, a.pid AS session,
  concat(${whoIs('a')}, CASE WHEN a.state = 'active' THEN ': ' ELSE ', last: ' END, ${queryText}) AS text
FROM (${BUSY}) AS a
UNION ALL
SELECT concat('lock ', l.pid, ' ', ${keyOf}, ' ', l.objsubid), 'advisory lock', l.pid, concat(${whoIs('a')}, ', key ', ${keyOf})
FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_stat_activity AS a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND a.datname = pg_catalog.current_database() AND l.pid <> pg_catalog.pg_backend_pid()
  AND l.database = a.datid
UNION ALL
SELECT concat('table ', c.oid), 'temporary table', NULL, c.relname::text FROM pg_catalog.pg_class AS c
WHERE c.relpersistence = 't' AND c.relkind IN ('r', 'p') AND c.relnamespace <> pg_catalog.pg_my_temp_schema()
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS o WHERE o.relname = '${STATE_NAME}' AND o.relnamespace = c.relnamespace)
UNION ALL
SELECT 'prepared ' || p.gid, 'prepared transaction', NULL, p.gid FROM pg_catalog.pg_prepared_xacts AS p
WHERE p.database = pg_catalog.current_database()
UNION ALL ${SETTINGS}`
