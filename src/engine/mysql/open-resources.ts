import type { Connection, Row } from '../connection.ts'
import type { OpenResource, OpenResourceFinder } from '../open-resources.ts'
import { abandonedHere, serverLocks } from './blockers.ts'
import { flavorOf } from './flavor-of.ts'

/**
 * What sessions hold. Without the PROCESS privilege statements of the same user are all that is seen. Neither server tells
 * whose a temporary table is, and MariaDB tells of GET_LOCK only with a plugin.
 */
export const openResources: OpenResourceFinder = {
  async find(connection) {
    const { userLocks } = await flavorOf(connection)
    const sessions = await connection.query(SESSIONS)
    const locks = userLocks === undefined ? [] : await connection.query(userLocks).catch(() => [])
    return [
      ...(await busyOf(connection, sessions)),
      ...locks.map(
        ({ id, who, name }): OpenResource => ({
          id: `lock ${id} ${name}`,
          kind: 'advisory lock',
          session: Number(id),
          text: `${who}, ${name}`,
        }),
      ),
      ...(await abandonedHere(connection)).map(
        (blocker): OpenResource => ({ ...blocker, kind: 'prepared transaction' }),
      ),
      ...(await serverLocks(connection, { here: true })).map(
        (lock): OpenResource => ({ ...lock, kind: 'lock of the server' }),
      ),
    ]
  },
  async end(connection, wanted) {
    const sessions = (await connection.query(SESSIONS)).map(({ id }) => Number(id))
    for (const id of sessions.filter((id) => wanted.includes(id))) await kill(connection, id)
  },
}

async function busyOf(connection: Connection, sessions: readonly Row[]): Promise<OpenResource[]> {
  if (sessions.length === 0) return []
  const transactions = await transactionsOf(connection)
  return sessions.flatMap(({ id, command, who, query }): OpenResource[] => {
    const session = Number(id)
    const isAtWork = command === 'Query' || command === 'Execute'
    const transaction = transactions.get(session)
    if (!isAtWork && transaction === undefined) return []
    const kind = isAtWork ? 'running statement' : 'open transaction'
    return [{ id: `${session} ${transaction ?? 'statement'}`, kind, session, text: `${who}${shown(query)}` }]
  })
}

/**
 * By session: its open transaction. Where the server does not tell of them all, those that have written something. Not
 * from `innodb_trx`, which tells what it told a moment ago to whoever asks again within 100 ms:
 * https://dev.mysql.com/doc/refman/9.0/en/innodb-information-schema-internal-data.html
 */
async function transactionsOf(connection: Connection): Promise<Map<number, string>> {
  const { transactions } = await flavorOf(connection)
  if (transactions !== undefined) {
    const rows = await connection.query(transactions).catch(() => [])
    return new Map(rows.map(({ id, transaction }) => [Number(id), String(transaction)]))
  }
  const [row] = await connection.query('SHOW ENGINE INNODB STATUS').catch(() => [])
  const status = String(row?.Status ?? '')
  const found = status.matchAll(/^---TRANSACTION (\S+), ACTIVE(?:(?!^---)[\s\S])*?thread id (\d+),/gm)
  return new Map([...found].map(([, transaction = '', id]) => [Number(id), transaction]))
}

function shown(query: unknown): string {
  return query === null || query === undefined ? '' : `: ${String(query).replace(/\s+/g, ' ').slice(0, 200)}`
}

/** One that has gone by itself is no trouble. https://dev.mysql.com/doc/refman/9.0/en/kill.html */
async function kill(connection: Connection, id: number): Promise<void> {
  await connection.query(`KILL CONNECTION ${id}`).catch(() => {})
}

const SESSIONS = `
SELECT p.id AS id, p.command AS command, CONCAT('connection ', p.id, ' (', p.user, ')') AS who, p.info AS query
FROM information_schema.processlist AS p WHERE p.db = DATABASE() AND p.id <> CONNECTION_ID()`
