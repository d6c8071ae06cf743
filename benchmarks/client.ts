import { createConnection } from 'mysql2/promise'
import pg from 'pg'

export type Row = Record<string, unknown>

/** A connection through the driver alone, as applications use it, without afresh. */
export interface Client {
  /**
   * Runs one statement, or several separated by semicolons, in one round trip; returns the rows of the last
   * that has any.
   */
  run(sql: string): Promise<Row[]>
  close(): Promise<void>
}

/** An open connection. */
export interface Connected extends Client {
  /** The client object of the driver. */
  readonly handle: object
}

/** A URL that the drivers accept: `mysql2` does not support `mariadb://`. */
export function driverUrl(url: string): string {
  return url.replace(/^mariadb:/, 'mysql:')
}

export async function connect(url: string): Promise<Connected> {
  return url.startsWith('postgres') ? postgres(url) : mysql(url)
}

async function postgres(url: string): Promise<Connected> {
  const client = new pg.Client({ connectionString: url })
  // Some methods drop the database while sessions are connected.
  client.on('error', () => {})
  await client.connect()
  return {
    handle: client,
    async run(sql) {
      const results = [await client.query(sql)].flat()
      return results.at(-1)?.rows ?? []
    },
    close: () => client.end().catch(() => {}),
  }
}

async function mysql(url: string): Promise<Connected> {
  const client = await createConnection({ uri: driverUrl(url), multipleStatements: true })
  return {
    handle: client,
    async run(sql) {
      const [result] = await client.query(sql)
      if (!Array.isArray(result)) return []
      const sets: unknown[] = result.filter(Array.isArray)
      return (sets.at(-1) ?? result) as Row[]
    },
    close: () => client.end(),
  }
}
