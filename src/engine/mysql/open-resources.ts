import { sleep } from '../../util/clock.ts'
import type { Connection, Row } from '../connection.ts'
import type { OpenResource, OpenResourceFinder } from '../open-resources.ts'
import { abandonedHere, serverLocks, tableLocks } from './blockers.ts'
import { flavorOf } from './flavor-of.ts'

const ATTEMPTS = 4
const INTERVAL_MS = 5

/**
 * Finds resources that sessions hold. Without the PROCESS privilege, only statements of the same user are
 * visible. Neither server reports which session owns a temporary table, and MariaDB reports GET_LOCK only
 * through a plugin.
 */
export const openResources: OpenResourceFinder = {
  async find(connection) {
    const { userLocks } = await flavorOf(connection)
    const sessions = await settledSessions(connection)
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
      ...(await tableLocks(connection)).map((lock): OpenResource => ({ ...lock, kind: 'table lock' })),
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

/**
 * The other sessions in the database. Both servers respond slightly before a statement ends, so that a session
 * at work is inspected again, in case its statement has finished.
 */
async function settledSessions(connection: Connection): Promise<Row[]> {
  let sessions = await connection.query(SESSIONS)
  for (let attempt = 1; attempt < ATTEMPTS && sessions.some(isAtWork); attempt++) {
    await sleep(INTERVAL_MS)
    sessions = await connection.query(SESSIONS)
  }
  return sessions
}

function isAtWork({ command }: Row): boolean {
  return command === 'Query' || command === 'Execute'
}

async function busyOf(connection: Connection, sessions: readonly Row[]): Promise<OpenResource[]> {
  if (sessions.length === 0) return []
  const transactions = await transactionsOf(connection)
  return sessions.flatMap((row): OpenResource[] => {
    const { id, who, query } = row
    const session = Number(id)
    const transaction = transactions.get(session)
    if (!isAtWork(row) && transaction === undefined) return []
    const kind = isAtWork(row) ? 'running statement' : 'open transaction'
    return [{ id: `${session} ${transaction ?? 'statement'}`, kind, session, text: `${who}${shown(query)}` }]
  })
}

/**
 * The open transaction of each session; on a server that does not report all of them, only those that have
 * written. Not from `innodb_trx`, which repeats its last answer if it is queried again within 100 ms:
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

/** The session may have ended meanwhile. https://dev.mysql.com/doc/refman/9.0/en/kill.html */
async function kill(connection: Connection, id: number): Promise<void> {
  await connection.query(`KILL CONNECTION ${id}`).catch(() => {})
}

const SESSIONS = `
SELECT p.id AS id, p.command AS command, CONCAT('connection ', p.id, ' (', p.user, ')') AS who, p.info AS query
FROM information_schema.processlist AS p WHERE p.db = DATABASE() AND p.id <> CONNECTION_ID()`
