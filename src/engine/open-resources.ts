import type { Connection } from './connection.ts'

/** A resource that a session keeps open. A test that leaves one disturbs the next test. */
export interface OpenResource {
  /** Stable for as long as the resource is open. */
  readonly id: string
  readonly kind: OpenResourceKind
  /** The server's id of the session; `undefined` if no session owns the resource, or the owner is unknown. */
  readonly session: number | undefined
  /** The owner and the resource, as text for people. */
  readonly text: string
}

/** The kinds of resources that stay open after a test and prevent a complete reset. */
export type OpenResourceKind =
  | 'open transaction'
  | 'running statement'
  | 'advisory lock'
  | 'temporary table'
  | 'prepared transaction'
  | 'table lock'
  | 'lock of the server'
  | 'setting of the database'

export interface OpenResourceFinder {
  /**
   * Records the resources that belong to the baseline; `find` omits them from then on. Called once per
   * connection.
   */
  begin?(connection: Connection): Promise<void>
  /** Returns the resources of the connection's database, except for the connection's own. */
  find(connection: Connection): Promise<OpenResource[]>
  /** Ends these sessions, if they are connected to that database. */
  end(connection: Connection, sessions: readonly number[]): Promise<void>
}
