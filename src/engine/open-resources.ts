import type { Connection } from './connection.ts'

/** Something that a session keeps until it ends it: a test that leaves it is in the way of the next. */
export interface OpenResource {
  /** The same as long as it is the same one. */
  readonly id: string
  readonly kind: OpenResourceKind
  /** The server's number of the session; `undefined` where it is nobody's, or nobody knows whose. */
  readonly session: number | undefined
  /** Whose it is and what it is about, for people. */
  readonly text: string
}

/** What a session still has open when a test is over, and keeps a reset from being complete. */
export type OpenResourceKind =
  | 'open transaction'
  | 'running statement'
  | 'advisory lock'
  | 'temporary table'
  | 'prepared transaction'
  | 'lock of the server'
  | 'setting of the database'

export interface OpenResourceFinder {
  /** What the database has with its baseline, and no test has left: `find` leaves it out from then on. Once a connection. */
  begin?(connection: Connection): Promise<void>
  /** Those of the database that the connection is in, but for its own. */
  find(connection: Connection): Promise<OpenResource[]>
  /** Ends the sessions of these numbers, as far as they are in that database. */
  end(connection: Connection, sessions: readonly number[]): Promise<void>
}
