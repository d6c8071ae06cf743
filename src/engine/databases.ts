import type { Plan } from '../plan/plan.ts'
import type { Schema, SubjectId } from '../schema/schema.ts'
import type { Lock } from './claim.ts'
import type { Connection } from './connection.ts'
import type { DatabaseSize } from './database-size.ts'
import type { ForeignRowsOptions } from './foreign-rows.ts'
import type { LockHolder } from './lock-holder.ts'

/** A server's identity and state, which the guard checks. */
export interface ServerFacts {
  readonly version: string
  /** Unique per server. Differs for a restored copy of a server too, if the engine supports that. */
  readonly systemIdentifier: string
  /** A read-only replica. */
  readonly standby: boolean
  readonly mayCreateDatabases: boolean
  /** Changes with the privileges of this role that plans depend on. Not for display. */
  readonly privileges: string
}

export interface CloneOptions {
  /**
   * Whether to copy triggers, events, routines and views, on engines that copy by definitions; default
   * `true`. Their source may name other databases, also the original one, and their copies would write there.
   */
  readonly programs?: boolean
  /** Whether to copy the settings and privileges of the database itself; default `true`. See `copySettings`. */
  readonly settings?: boolean
  /** Called for each unusable object of the template, which is not copied, with the reason. */
  readonly leftOut?: (what: string) => void
}

/** A test database, which is copied while other sessions may use it. */
export interface DatabaseInUse {
  /** A session in it. */
  readonly connection: Connection
  /** The database that it was copied from. */
  readonly template: string
  readonly schema: Schema
  /** `ordered`: this role cannot disable foreign keys. */
  readonly mode: Plan['mode']
  /** What differs from the template. */
  readonly dirty: readonly SubjectId[]
  /** Milliseconds to wait for the lock of another session. */
  readonly lockTimeoutMs: number
}

export interface Databases {
  facts(connection: Connection): Promise<ServerFacts>
  /** The statement with which an administrator permits a role to create databases, for people. */
  readonly createGrant: string
  /** Returns the URL of another database on the same server. */
  urlOf(url: string, database: string): string
  /** The maximum length of a name, in bytes, before the engine truncates it. */
  readonly maxNameBytes: number
  /** Templates are in the order in which they were made. */
  list(connection: Connection): Promise<DatabaseEntry[]>
  /**
   * Searches every database of the server that afresh did not create for a row in any table. Read-only,
   * limited in time and in the number of tables, and stops at the first row.
   *
   * @returns the location of the row, or what could not be read, as a clause; `undefined` if all of them are
   * empty
   */
  foreignRows(connection: Connection, options?: ForeignRowsOptions): Promise<string | undefined>
  /**
   * Creates an empty database and returns its mark. The database carries the mark from the moment it becomes
   * visible, so that a later process recognizes it as afresh's own even if this process is killed.
   */
  create(connection: Connection, name: string): Promise<string>
  /**
   * Copies `template`: definitions, rows, sequence positions. Returns the mark of the copy, which is written
   * before the copy is complete and says so. Throws `AfreshError`; leaves no partial copy.
   */
  clone(connection: Connection, template: string, name: string, options?: CloneOptions): Promise<string>
  /**
   * Copies what is committed in a database, while other sessions are connected to it. Where a server copies no such
   * database, the copy is one of the template, with the rows of what is dirty, and without changes of the schema.
   *
   * @returns the mark of the copy
   * @throws the error of the server; leaves no partial copy
   */
  cloneInUse(connection: Connection, source: DatabaseInUse, name: string): Promise<string>
  /**
   * Gives a copy that was made without them the settings and privileges of its template. Sessions of the copy
   * that began before are not affected, just as the session that creates a template is not. Absent where migrations do
   * not continue in a copy. On MySQL and MariaDB they would run programs of earlier ones with the rights of their
   * definers, instead of those of scripts, though a copy takes a third of the time (140 tables, 40 files: 1.2 s
   * and 3.5 s; 0.25 s and 0.9 s).
   */
  copySettings?(connection: Connection, template: string, name: string): Promise<void>
  /**
   * Turns a complete template into another database that accepts connections, and returns its mark. Returns
   * `undefined`, and changes nothing, if settings of its own would affect new sessions: it has to be copied then.
   *
   * @throws RefusedError unless it carries a mark that says that afresh created it
   */
  reopen?(connection: Connection, template: string, name: string): Promise<string | undefined>
  /** The size that a clone of the connection's database has to copy, from the catalog. */
  extent(connection: Connection): Promise<DatabaseSize>
  /** Disallows connections to the database, which also marks a template as complete. */
  freeze(connection: Connection, name: string): Promise<void>
  /**
   * Ends the sessions of the database and drops it.
   *
   * @throws RefusedError unless the database carries `mark`, which was made for it and says that afresh
   * created it
   */
  drop(connection: Connection, name: string, mark: string): Promise<void>
  /**
   * Drops databases that killed processes left incomplete; absent if the mark shows that. Returns those that
   * could not be dropped, as sentences.
   */
  dropUnfinished?(connection: Connection): Promise<string[]>
  /** The server's id of the connection's session. */
  sessionOf(connection: Connection): Promise<number>
  /**
   * The sessions of other programs in the database, as text for people.
   *
   * @param options `ofUser`: also those of this user at this address, such as a client that a person runs. Default
   * `false`
   */
  sessions(connection: Connection, name: string, options?: { readonly ofUser?: boolean }): Promise<string[]>
  /**
   * Takes a lock that lives as long as the connection. Returns `false` if another session holds it.
   *
   * @param everywhere whether sessions in other databases of the server count too. Two sessions that ask at
   * the same time may both get `false`.
   */
  tryLock(connection: Connection, key: string, options?: { readonly everywhere?: boolean }): Promise<boolean>
  unlock(connection: Connection, key: string): Promise<void>
  /** Ends the session that holds this lock, if it still holds it. */
  endHolder(connection: Connection, lock: Lock): Promise<void>
  isLocked(connection: Connection, key: string): Promise<boolean>
  /** The session that holds this lock; `undefined` if none does. */
  holder(connection: Connection, key: string): Promise<LockHolder | undefined>
  /** The bytes of each of these databases; without those that the role may not read. */
  sizes(connection: Connection, names: readonly string[]): Promise<ReadonlyMap<string, number>>
}

export interface DatabaseEntry {
  readonly name: string
  readonly mark: string | undefined
  /** Frozen: a complete template. */
  readonly frozen: boolean
}
