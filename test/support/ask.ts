import mysql from 'mysql2/promise'
import pg from 'pg'

/** Returns the rows of one query on a separate connection, through the driver alone, without afresh. */
export async function ask(
  server: { readonly engine: string; readonly url: string },
  sql: string,
): Promise<Record<string, unknown>[]> {
  if (server.engine === 'postgres') {
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    try {
      return (await client.query(sql)).rows
    } finally {
      await client.end()
    }
  }
  const connection = await mysql.createConnection({ uri: server.url, multipleStatements: true })
  try {
    const [rows] = await connection.query(sql)
    return rows as Record<string, unknown>[]
  } finally {
    await connection.end()
  }
}
