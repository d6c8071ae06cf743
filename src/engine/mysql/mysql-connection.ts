import type { Connection, Row } from '../connection.ts'

/** The result of one statement: rows, or the number of changed rows. */
export interface Result {
  readonly rows: Row[]
  readonly affected: number
}

/** Sends one message of one or more statements: one round trip. */
export type Send = (sql: string, values?: readonly unknown[]) => Promise<Result[]>

export interface MysqlConnection extends Connection {
  /** Runs `body` in a single session, even over a pool. */
  pinned<T>(body: (send: Send) => Promise<T>): Promise<T>
}

const known = new WeakSet<Connection>()

/** The connection as one of this engine. Throws `TypeError` for a connection of another engine. */
export function mysqlConnection(connection: Connection): MysqlConnection {
  if (!known.has(connection)) throw new TypeError('not a connection of MySQL or MariaDB')
  return connection as MysqlConnection
}

/** Makes `mysqlConnection` accept the connection. */
export function register(connection: MysqlConnection): MysqlConnection {
  known.add(connection)
  return connection
}
