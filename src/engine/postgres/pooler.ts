import type { Client } from 'pg'
import { AfreshError, codeOf } from '../../errors.ts'

/** How often two connections are compared: a busy pooler may give each of them a server session by chance. */
const COMPARISONS = 3

/** A pooler by session may have none left for a second connection. */
const SECOND_TIMEOUT_MS = 2_000

/**
 * Throws `AfreshError` (`server`) where a pooler gives each transaction whichever server session is free: settings,
 * temporary functions and advisory locks would then belong to whoever comes next, the application included.
 *
 * A pooler shows by the process id that it hands out, which is not the server's. Whether it pools by session (which
 * works) or by transaction (which cannot) shows by a second connection: while the first one is idle but connected, it is
 * given the same server session only by the latter. https://www.pgbouncer.org/features.html
 *
 * Nothing is set before that is known: it would stay on a session that others use.
 *
 * @param client a connected client
 */
export async function refuseTransactionPooler(client: Client): Promise<void> {
  const backend = await backendOf(client)
  if (processIdOf(client) === backend) return
  const second = secondClient(client)
  second.on('error', () => {})
  try {
    await second.connect()
    for (let i = 0; i < COMPARISONS; i++) {
      const mine = await backendOf(client)
      await second.query('BEGIN')
      const theirs = await backendOf(second)
      await second.query('ROLLBACK')
      if (mine === theirs || mine !== backend) throw transactionPooler(client)
    }
  } catch (error) {
    // No session to be had beside the first one: so that is not shared.
    if (error instanceof AfreshError) throw error
    // protocol_violation: a pooler by statement takes no transaction at all
    if (codeOf(error) === '08P01') throw transactionPooler(client)
  } finally {
    await second.end().catch(() => {})
  }
}

/** The types of `pg` do not have it. */
function processIdOf(client: Client & { processID?: unknown }): number {
  return Number(client.processID)
}

function secondClient(client: Client & { connectionParameters?: object }): Client {
  const Constructor = client.constructor as new (config: object) => Client
  const { host, port, user, database, password, ssl } = client
  return new Constructor({
    ...client.connectionParameters,
    host,
    port,
    user,
    database,
    password,
    ssl,
    connectionTimeoutMillis: SECOND_TIMEOUT_MS,
    query_timeout: SECOND_TIMEOUT_MS,
  })
}

async function backendOf(client: Client): Promise<number> {
  const { rows } = await client.query('SELECT pg_catalog.pg_backend_pid() AS pid')
  return Number(rows[0]?.pid)
}

function transactionPooler({ host, port }: Client): AfreshError {
  return new AfreshError(
    'server',
    `A connection pooler at ${host}:${port} shares server sessions between connections (transaction pooling): ` +
      'two connections were given the same session. A reset keeps settings and locks in a session of its own.',
    {
      next:
        'Give afresh the URL of the server itself, or of the pooler in session mode (pgbouncer: pool_mode = session). ' +
        'The code under test may go on using the pooler.',
    },
  )
}
