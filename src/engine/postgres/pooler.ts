import type { Client } from 'pg'
import { AfreshError, codeOf } from '../../errors.ts'

/** Number of comparisons: a busy pooler may assign different sessions to the two connections by chance. */
const COMPARISONS = 3

/** A pooler in session mode may have no session left for a second connection. */
const SECOND_TIMEOUT_MS = 2_000

/**
 * Throws `AfreshError` (`server`) if a pooler assigns server sessions per transaction: settings, temporary
 * functions and advisory locks would then reach other clients, the application included.
 *
 * A pooler reports a process id that is not the server's. A second connection distinguishes session mode
 * (supported) from transaction mode (unsupported): only in transaction mode does it get the same server
 * session while the first connection is idle but connected. https://www.pgbouncer.org/features.html
 *
 * Changes no settings before that is known, because they would remain on a shared session.
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
      const firstBackend = await backendOf(client)
      await second.query('BEGIN')
      const secondBackend = await backendOf(second)
      await second.query('ROLLBACK')
      if (firstBackend === secondBackend || firstBackend !== backend) throw transactionPooler(client)
    }
  } catch (error) {
    // If no second session is available, the first one is not shared.
    if (error instanceof AfreshError) throw error
    // protocol_violation: a pooler in statement mode rejects transactions
    if (codeOf(error) === '08P01') throw transactionPooler(client)
  } finally {
    await second.end().catch(() => {})
  }
}

/** Missing from the types of `pg`. */
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
