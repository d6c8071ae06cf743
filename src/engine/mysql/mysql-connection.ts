import type { Connection, Row } from '../connection.ts'

/** What one statement gave: rows, or the number of rows that it changed. */
export interface Result {
  readonly rows: Row[]
  readonly affected: number
}

/** One message of one or more statements: one round trip. */
export type Send = (sql: string, values?: readonly unknown[]) => Promise<Result[]>

export interface MysqlConnection extends Connection {
  /** Runs `body` on one and the same session, also where a pool lies underneath. */
  pinned<T>(body: (send: Send) => Promise<T>): Promise<T>
}

const known = new WeakSet<Connection>()

/** The connection as this engine made it. Throws when it is another engine's: a programming error. */
export function mysqlConnection(connection: Connection): MysqlConnection {
  if (!known.has(connection)) throw new TypeError('not a connection of MySQL or MariaDB')
  return connection as MysqlConnection
}

/** What `mysqlConnection` knows from now on. */
export function register(connection: MysqlConnection): MysqlConnection {
  known.add(connection)
  return connection
}
