import mysql from 'mysql2/promise'
import pg from 'pg'

/** An open transaction that a test left behind. */
export interface Held {
  commit(): Promise<void>
  /** Does not throw if the server is gone. */
  close(): Promise<void>
}

/** Runs a statement in a transaction on a separate connection, and leaves it open. */
export async function hold(
  server: { readonly engine: string; readonly url: string },
  sql: string,
): Promise<Held> {
  const { query, end } = server.engine === 'postgres' ? await overPg(server.url) : await overMysql(server.url)
  await query('BEGIN')
  await query(sql)
  const close = () => end().catch(() => {})
  return {
    async commit() {
      await query('COMMIT')
      await close()
    },
    close,
  }
}

async function overPg(url: string) {
  const client = new pg.Client({ connectionString: url, application_name: 'straggler' })
  client.on('error', () => {})
  await client.connect()
  return { query: (sql: string) => client.query(sql), end: () => client.end() }
}

async function overMysql(url: string) {
  const connection = await mysql.createConnection(url)
  connection.on('error', () => {})
  return { query: (sql: string) => connection.query(sql), end: () => connection.end() }
}
