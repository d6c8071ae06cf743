import mysql from 'mysql2/promise'
import pg from 'pg'
import type { ServerAtHand } from '../support/servers.ts'

export interface DriverClient extends AsyncDisposable {
  readonly client: pg.Client | mysql.Connection
  query(sql: string): Promise<unknown>
}

/** A driver client, as users create it. */
export async function clientOn({ engine }: ServerAtHand, url: string): Promise<DriverClient> {
  if (engine === 'postgres') {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    await client.connect()
    return { client, query: (sql) => client.query(sql), [Symbol.asyncDispose]: () => client.end() }
  }
  const client = await mysql.createConnection({ uri: url, multipleStatements: true })
  client.on('error', () => {})
  return { client, query: (sql) => client.query(sql), [Symbol.asyncDispose]: () => client.end() }
}
