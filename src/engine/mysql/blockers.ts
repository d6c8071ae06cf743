import type { Connection } from '../connection.ts'
import { describeBlockers } from '../describe-blockers.ts'
import { flavorOf } from './flavor-of.ts'

/**
 * Describes the sessions that hold locks in this database, for the error after a lock wait timeout: people
 * use it to find the test that left them open.
 */
export async function blockersOf(connection: Connection): Promise<string> {
  const { blockers } = await flavorOf(connection)
  const rows = await connection.query(blockers).catch(() => undefined)
  if (rows === undefined) {
    return 'End the blocking transaction or lock; GRANT PROCESS and SELECT ON performance_schema.* to see whose it is.'
  }
  if (rows.length === 0) return otherBlockers(connection)
  const own = await ownSessions(connection)
  return describeBlockers(
    rows.map(({ id, who, state, query }) => ({
      text: `connection ${id} (${who}), ${state}: ${shown(query)}`,
      isOwn: own.has(String(id)),
    })),
  )
}

/** The ids of all afresh connections, including this one, as far as the server reports them. */
async function ownSessions(connection: Connection): Promise<Set<string>> {
  const rows = await connection
    .query(
      `SELECT processlist_id AS id FROM performance_schema.session_connect_attrs
       WHERE attr_name = 'program_name' AND (attr_value = 'afresh' OR attr_value LIKE 'afresh %')`,
    )
    .catch(() => [])
  return new Set(rows.map(({ id }) => String(id)))
}

/** Blockers other than transactions in this database: server-wide locks, and abandoned transactions. */
async function otherBlockers(connection: Connection): Promise<string> {
  const { name } = await flavorOf(connection)
  const found = [...(await preparedTransactions(connection)), ...(await serverLocks(connection))]
  if (found.length > 0)
    return `End the sessions that block it (a test left them):\n    ${found.map(({ text }) => text).join('\n    ')}`
  if (name === 'mysql') return 'The session that held the lock has ended; reset again.'
  const sessions = await connection.query(
    `SELECT id AS id, CONCAT(user, '@', host) AS who, COALESCE(db, 'no database') AS db, time AS time FROM information_schema.processlist
     WHERE id <> CONNECTION_ID() AND command = 'Sleep' ORDER BY id`,
  )
  const lines = sessions.map(
    ({ id, who, db, time }) => `connection ${id} (${who}) in ${db}, idle for ${time} s`,
  )
  return (
    'The server does not report who holds the lock: a LOCK TABLES, FLUSH TABLES WITH READ LOCK, HANDLER or BACKUP STAGE that a test ' +
    `left open, or a session that has ended by now. ${lines.length === 0 ? 'Reset again.' : `End it, then reset again:\n    ${lines.join('\n    ')}`}`
  )
}

interface Blocker {
  readonly id: string
  readonly session: number | undefined
  readonly text: string
}

/** XA transactions outlive the client that prepared them. Their databases are unknown to the server. */
async function preparedTransactions(connection: Connection): Promise<Blocker[]> {
  const rows = await connection.query('XA RECOVER').catch(() => [])
  return rows.map(({ data }) => ({
    id: `xa ${String(data)}`,
    session: undefined,
    text: `the prepared XA transaction ${String(data)}: XA COMMIT or XA ROLLBACK it`,
  }))
}

/** Prepared transactions, if a table lock in this database belongs to no session any more (MySQL only). */
export async function abandonedHere(connection: Connection): Promise<Blocker[]> {
  const { name } = await flavorOf(connection)
  if (name !== 'mysql') return []
  const left = await connection
    .query(
      `SELECT 1 AS found FROM performance_schema.metadata_locks AS m LEFT JOIN performance_schema.threads AS t
         ON t.thread_id = m.owner_thread_id
       WHERE m.object_type = 'TABLE' AND m.object_schema = DATABASE() AND m.lock_status = 'GRANTED' AND t.thread_id IS NULL LIMIT 1`,
    )
    .catch(() => [])
  return left.length === 0 ? [] : preparedTransactions(connection)
}

/** FLUSH TABLES WITH READ LOCK and LOCK INSTANCE FOR BACKUP. MariaDB reports them only through a plugin. */
export async function serverLocks(connection: Connection, { here = false } = {}): Promise<Blocker[]> {
  const { name } = await flavorOf(connection)
  if (name !== 'mysql') return []
  const rows = await connection
    .query(
      `SELECT t.processlist_id AS id, CONCAT(t.processlist_user, '@', t.processlist_host) AS who,
         GROUP_CONCAT(DISTINCT LOWER(m.object_type)) AS what
       FROM performance_schema.metadata_locks AS m JOIN performance_schema.threads AS t ON t.thread_id = m.owner_thread_id
       WHERE m.lock_status = 'GRANTED' AND m.lock_duration = 'EXPLICIT' AND m.lock_type IN ('SHARED', 'EXCLUSIVE')
         AND m.object_type IN ('GLOBAL', 'COMMIT', 'BACKUP LOCK') AND t.processlist_id <> CONNECTION_ID() ${here ? 'AND t.processlist_db = DATABASE()' : ''}
       GROUP BY t.processlist_id, who`,
    )
    .catch(() => [])
  return rows.map(({ id, who, what }) => ({
    id: `lock ${id} ${what}`,
    session: Number(id),
    text: `connection ${id} (${who}) locks the whole server (${what}): FLUSH TABLES WITH READ LOCK or LOCK INSTANCE FOR BACKUP`,
  }))
}

/**
 * LOCK TABLES, FLUSH TABLES … and HANDLER, which need no transaction. Open transactions and running statements
 * hold other locks. Only MySQL reports them.
 */
export async function tableLocks(connection: Connection): Promise<Blocker[]> {
  const { name } = await flavorOf(connection)
  if (name !== 'mysql') return []
  const rows = await connection
    .query(
      `SELECT t.processlist_id AS id, CONCAT(t.processlist_user, '@', t.processlist_host) AS who,
         GROUP_CONCAT(DISTINCT m.object_name ORDER BY m.object_name SEPARATOR ', ') AS tables
       FROM performance_schema.metadata_locks AS m JOIN performance_schema.threads AS t ON t.thread_id = m.owner_thread_id
       WHERE m.object_type = 'TABLE' AND m.object_schema = DATABASE() AND m.lock_status = 'GRANTED'
         AND (m.lock_type IN ('SHARED_READ_ONLY', 'SHARED_NO_WRITE', 'SHARED_NO_READ_WRITE') OR m.lock_duration = 'EXPLICIT')
         AND t.processlist_db = DATABASE() AND t.processlist_command = 'Sleep' AND t.processlist_id <> CONNECTION_ID()
       GROUP BY t.processlist_id, who`,
    )
    .catch(() => [])
  return rows.map(({ id, who, tables }) => ({
    id: `tables ${id} ${tables}`,
    session: Number(id),
    text: `connection ${id} (${who}) locks ${tables}: LOCK TABLES, FLUSH TABLES or HANDLER`,
  }))
}

function shown(query: unknown): string {
  return query === null || query === undefined ? 'idle' : String(query).replace(/\s+/g, ' ').slice(0, 200)
}
