import { createConnection } from 'mysql2/promise'
import pg from 'pg'

export type Row = Record<string, unknown>

/** A connection by the driver alone, as an application has it: nothing of afresh takes part. */
export interface Client {
  /** One statement, or several with a semicolon between, in one round trip; the rows of the last that has any. */
  run(sql: string): Promise<Row[]>
  close(): Promise<void>
}

/** One that is open. */
export interface Connected extends Client {
  /** The driver's own. */
  readonly handle: object
}

/** The form that the drivers understand: `mysql2` knows no `mariadb://`. */
export function driverUrl(url: string): string {
  return url.replace(/^mariadb:/, 'mysql:')
}

export async function connect(url: string): Promise<Connected> {
  return url.startsWith('postgres') ? postgres(url) : mysql(url)
}

async function postgres(url: string): Promise<Connected> {
  const client = new pg.Client({ connectionString: url })
  // Some ways drop the database under its sessions.
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
