import type { Connection, Hold, HoldFinder, HoldKind } from '../engine.ts'
import { flavorOf } from './connection.ts'

/**
 * What sessions hold. Without the PROCESS privilege only those of the same user are seen. Neither server tells whose a
 * temporary table is, and MariaDB tells of GET_LOCK only with a plugin.
 */
export const holds: HoldFinder = {
  async find(connection) {
    const { userLocks } = await flavorOf(connection)
    const busy = await connection.query(BUSY)
    const locks = userLocks === undefined ? [] : await connection.query(userLocks).catch(() => [])
    return [
      ...busy.map(({ id, since, kind, who, query }) =>
        holdOf(`${id} ${since}`, kind, `${who}${shown(query)}`),
      ),
      ...locks.map(({ id, who, name }) => holdOf(`lock ${id} ${name}`, 'advisory lock', `${who}, ${name}`)),
    ]
  },
  async end(connection) {
    for (const { id } of await connection.query(BUSY)) await kill(connection, Number(id))
  },
}

function holdOf(id: string, kind: unknown, text: string): Hold {
  return { id, kind: kind as HoldKind, text }
}

function shown(query: unknown): string {
  return query === null || query === undefined ? '' : `: ${String(query).replace(/\s+/g, ' ').slice(0, 200)}`
}

/** One that has gone by itself is no trouble. https://dev.mysql.com/doc/refman/9.0/en/kill.html */
async function kill(connection: Connection, id: number): Promise<void> {
  await connection.query(`KILL CONNECTION ${id}`).catch(() => {})
}

const BUSY = `
SELECT p.id AS id, COALESCE(CAST(t.trx_started AS CHAR), '') AS since,
  IF(p.command = 'Sleep', 'open transaction', 'running statement') AS kind,
  CONCAT('connection ', p.id, ' (', p.user, ')') AS who, p.info AS query
FROM information_schema.processlist AS p LEFT JOIN information_schema.innodb_trx AS t ON t.trx_mysql_thread_id = p.id
WHERE p.db = DATABASE() AND p.id <> CONNECTION_ID() AND (t.trx_id IS NOT NULL OR p.command IN ('Query', 'Execute'))`
