import type { OpenResource } from '../engine/open-resources.ts'
import type { PurgeOptions } from '../erase/erase.ts'
import type { EraseOptions } from '../erase/options.ts'
import type { EraseReport } from '../erase/report.ts'
import type { Where } from '../erase/where.ts'
import type { TestReport } from '../reset/rollback.ts'
import type { Difference } from '../reset/verify.ts'
import type { KeepOptions, KeptCopy } from './keep-copy.ts'

/** A real database for the exclusive use of one worker or test. It can be reset to its baseline. */
export interface TestDatabase extends AsyncDisposable {
  readonly name: string
  /** For the clients of the code under test. Empty if the database was attached through an open client. */
  readonly url: string
  /**
   * Variables that point other programs to the database: `DATABASE_URL`, `PGHOST` … or `MYSQL_HOST` …, and
   * those of the option `env`.
   */
  readonly env: Readonly<Record<string, string>>
  /**
   * With strategy `rollback`: opens a transaction on the client of the code under test. The next `reset`
   * rolls it back. BEGIN, COMMIT, ROLLBACK and savepoints of the test work as usual inside it, and a failed
   * statement does not abort the following ones. Until then, a pool lends only one connection at a time, and
   * waits up to `lockTimeoutMs` for its return. For the limits of a rollback, see docs/rollback.md.
   *
   * @param client a connected `pg` Client or Pool, or a `mysql2` connection or pool (promises or callbacks)
   * @throws AfreshError `usage` for another strategy or an unknown client, for a client that is connected to
   * another database or inside a transaction, if the transaction of the previous test is still open, and
   * after `release`
   */
  begin(client: object): Promise<void>
  /**
   * Restores rows and sequences. Concurrent calls are queued. After `begin`, it first restores the client and
   * rolls back; `rollback` in the report says what escaped the transaction.
   *
   * @throws ResetError naming step, table, statement and cause; the next reset recovers
   * @throws RefusedError if the database no longer belongs to afresh
   * @throws AfreshError `reset` for rows that violate a deferred constraint, so that COMMIT would have failed
   * (the database is at its baseline then); `blocked` if a query of the test does not finish
   */
  reset(): Promise<TestReport>
  /** All differences between the database and its baseline. Changes nothing. */
  verify(): Promise<Difference[]>
  /**
   * Deletes selected rows and, on request, the rows that reference them. Works on committed rows, on a
   * connection of its own, in one transaction. The schema as of the last reset decides which tables are
   * involved. See docs/erase.md.
   *
   * @param table the name, qualified by its schema if that is not the default
   * @param where columns and their values, keys, or sql`…`; values are always bound
   * @throws AfreshError `erase`: rows in other tables would be affected without permission (no row was read),
   * more rows than `max` match, or a statement failed. `usage`: an invalid table, column, value or option, or
   * the transaction of `begin` is open. `blocked`: another session held a lock. Nothing was changed, except
   * by earlier batches.
   */
  erase(table: string, where: Where, options?: EraseOptions): Promise<EraseReport>
  /** Deletes the rows that `softDelete` marked, in all tables with its column. Throws as `erase` does. */
  purge(options?: PurgeOptions): Promise<EraseReport>
  /**
   * Adds the rows of a set of `fixtureSets` to what the database contains, in one transaction (SQL files: as
   * they say). The next reset removes them, like everything that a test writes.
   *
   * @param set the name of the set
   * @throws AfreshError `usage` for an unknown set, or if the transaction of `begin` is open; `baseline` for a
   * file that cannot be loaded, with its line; `blocked` if another session held a lock
   * @throws RefusedError if the database no longer belongs to afresh
   */
  load(set: string): Promise<void>
  /**
   * Keeps the current state of the database under a name, until the lease ends: rows and positions of sequences.
   * A snapshot of the same name is replaced. It reads all rows once. What is not committed is not part of it.
   *
   * @param name any text
   * @throws AfreshError `usage` for an empty name, for more than 8 snapshots, for rows that no reset could put
   * back, for a database that was attached by an open client of a server, or while the transaction of `begin` is open
   */
  snapshot(name: string): Promise<void>
  /**
   * Returns the database to a snapshot, from whatever state, at the cost of what was written since it was taken or
   * last restored. After `begin`, it rolls back first, as `reset` does. `reset` still returns to the baseline.
   *
   * @throws AfreshError `usage` for an unknown name; `reset` if the snapshot is gone: the database was created
   * again, or a test changed the schema. Otherwise as `reset` does
   */
  restore(name: string): Promise<TestReport>
  /** Drops a snapshot. Without a name, all of them. */
  dropSnapshot(name?: string): Promise<void>
  /**
   * Copies the database as it is now, to look into it after the test: the copy stays after the run, until there are
   * newer ones (`keepFailed`, at least 3), or until `afresh clean`. What is not committed is not part of it, and on
   * PostgreSQL neither is a changed schema.
   *
   * @returns `undefined` with `ifDirty`, if there is nothing to look at: the rows are those of the baseline
   * @throws AfreshError `usage` for a database that was attached, or while the transaction of `begin` is open;
   * `server` if the database cannot be copied
   */
  keepCopy(options?: KeepOptions): Promise<KeptCopy | undefined>
  /**
   * What other sessions have open in the database: transactions, running statements, advisory locks,
   * temporary tables. Changes nothing. Always empty if no other client can connect (SQLite, PGlite).
   */
  openResources(): Promise<OpenResource[]>
  /** Ends the sessions of these resources, so their clients lose the connection. Others stay. */
  endOpenResources(found: readonly OpenResource[]): Promise<void>
  /** Gives the database back. Can be called repeatedly. */
  release(): Promise<void>
}

/** Which database a lease takes, and whether it keeps the process alive. */
export interface LeaseOptions {
  /** The preferred slot, counted from 1, for a worker that always uses the same database. Default 1. */
  readonly slot?: number
  /**
   * Whether the process may exit without releasing the database. If so, the lease ends with the process and
   * does not keep it alive. Default `false`.
   */
  readonly unref?: boolean
}
