import type { Lock } from './claim.ts'
import type { Connection } from './connection.ts'
import type { DatabaseSize } from './database-size.ts'
import type { ForeignRowsOptions } from './foreign-rows.ts'

/** A server's identity and state, as the guard needs them. */
export interface ServerFacts {
  readonly version: string
  /** Differs between any two servers, and between a server and a restored copy of it where the engine allows. */
  readonly systemIdentifier: string
  /** A replica: nothing may be written. */
  readonly standby: boolean
  /** May this role create databases? */
  readonly mayCreateDatabases: boolean
}

export interface CloneOptions {
  /**
   * Whether triggers, events, routines and views come along, where the engine copies by definitions; default `true`. Their
   * texts may name other databases, the original among them, and a copy of them would write there.
   */
  readonly programs?: boolean
  /** Told of each object that the copy does not have, because the template's cannot be used, with the reason. */
  readonly leftOut?: (what: string) => void
}

export interface Databases {
  facts(connection: Connection): Promise<ServerFacts>
  /** The URL of another database on the same server. */
  urlOf(url: string, database: string): string
  /** The longest name, in bytes, that the engine keeps whole. */
  readonly maxNameBytes: number
  list(connection: Connection): Promise<DatabaseEntry[]>
  /**
   * Looks at every database of the server that afresh did not make for a row in any table: read only, within bounds of
   * time and number, as far as the first row.
   *
   * @returns where that row is or what could not be looked at, as a clause; `undefined` where all of them are empty
   */
  foreignRows(connection: Connection, options?: ForeignRowsOptions): Promise<string | undefined>
  /**
   * An empty database, and the mark that it carries from the moment on in which it is seen: a process that is killed
   * leaves nothing that a later one does not know for afresh's own.
   */
  create(connection: Connection, name: string): Promise<string>
  /**
   * A copy of `template`: definitions, rows, sequence positions. Returns its mark, which is there before the copy is complete
   * and says so. Throws `AfreshError`; leaves no half copy.
   */
  clone(connection: Connection, template: string, name: string, options?: CloneOptions): Promise<string>
  /** What a clone of the database that the connection is in has to copy, by the catalog. */
  extent(connection: Connection): Promise<DatabaseSize>
  /** Nobody connects to it any more; also the sign that the template is complete. */
  freeze(connection: Connection, name: string): Promise<void>
  /**
   * Ends its sessions and drops it.
   *
   * @throws RefusedError unless it carries `mark`, which was made for it and says that afresh made the database
   */
  drop(connection: Connection, name: string, mark: string): Promise<void>
  /** Drops what killed processes were making; absent where a mark tells. Returns what could not be dropped, in sentences. */
  dropUnfinished?(connection: Connection): Promise<string[]>
  /** The server's number of the connection's session. */
  sessionOf(connection: Connection): Promise<number>
  /** Other people's sessions in the database, for people to read. */
  sessions(connection: Connection, name: string): Promise<string[]>
  /**
   * A lock that lives as long as the connection. `false`: someone else holds it.
   *
   * @param everywhere whichever database of the server they are connected to. Two who ask at once may both be told so.
   */
  tryLock(connection: Connection, key: string, options?: { readonly everywhere?: boolean }): Promise<boolean>
  unlock(connection: Connection, key: string): Promise<void>
  /** Ends the session that holds this lock, unless it holds it no more. */
  endHolder(connection: Connection, lock: Lock): Promise<void>
  /** Whether somebody holds the lock. */
  isLocked(connection: Connection, key: string): Promise<boolean>
}

export interface DatabaseEntry {
  readonly name: string
  readonly mark: string | undefined
  /** Frozen: a complete template. */
  readonly frozen: boolean
}
