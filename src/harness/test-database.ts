import type { OpenResource } from '../engine/open-resources.ts'
import type { PurgeOptions } from '../erase/erase.ts'
import type { EraseOptions } from '../erase/options.ts'
import type { EraseReport } from '../erase/report.ts'
import type { Where } from '../erase/where.ts'
import type { TestReport } from '../reset/rollback.ts'
import type { Difference } from '../reset/verify.ts'

/** A real database that one worker or test has to itself, and that can be put back to its baseline. */
export interface TestDatabase extends AsyncDisposable {
  readonly name: string
  /** For the clients of the code under test. Empty where the database was attached by an open client. */
  readonly url: string
  /** Variables that lead other programs here: `DATABASE_URL`, `PGHOST` … or `MYSQL_HOST` …, and those of the option `env`. */
  readonly env: Readonly<Record<string, string>>
  /**
   * With strategy `rollback`: opens a transaction on the client that the code under test uses, until the next
   * `reset`, which rolls it back. BEGIN, COMMIT, ROLLBACK and savepoints of the test work within it as they would
   * without, and an error in one statement does not spoil the next. A pool lends one connection at a time meanwhile,
   * and waits `lockTimeoutMs` for it to come back. What a rollback cannot do is in docs/rollback.md.
   *
   * @param client a connected `pg` Client or Pool, or a `mysql2` connection or pool (promises or callbacks)
   * @throws AfreshError `usage` for another strategy or client, for one that is connected elsewhere or in a
   * transaction, where the transaction of the test before is still open, and after `release`
   */
  begin(client: object): Promise<void>
  /**
   * Puts back rows and sequences. Calls wait for each other. After `begin` it first gives the client back as it was
   * and rolls back; the report's `rollback` says what escaped the transaction.
   *
   * @throws ResetError naming step, table, statement and cause; the next reset recovers
   * @throws RefusedError when the database is not ours any more
   * @throws AfreshError `reset` for rows that break a deferred constraint, which a COMMIT would have refused (the
   * database is at its baseline then); `blocked` when a query of the test does not come to its end
   */
  reset(): Promise<TestReport>
  /** Everything in which the database differs from its baseline now; changes nothing. */
  verify(): Promise<Difference[]>
  /**
   * Deletes selected rows, and on request what refers to them: from what is committed, on a connection of afresh's own, in
   * one transaction. Which tables that takes is decided by the schema as it was at the last reset. docs/erase.md
   *
   * @param table its name, with its schema where that is not the default
   * @param where columns and their values, keys, or sql`…`; values are always bound
   * @throws AfreshError `erase`: other rows would have to go too and nobody said that they may (no row was read then);
   * there are more than `max`; a statement failed. `usage`: a table, column, value or option that cannot be used, or
   * the transaction of `begin` is open. `blocked`: another session held a lock. Nothing was changed, but for batches before.
   */
  erase(table: string, where: Where, options?: EraseOptions): Promise<EraseReport>
  /** Deletes what `softDelete` has marked, in every table that has the column. Throws as `erase` does. */
  purge(options?: PurgeOptions): Promise<EraseReport>
  /**
   * What other sessions have open in the database now: transactions, running statements, advisory locks, temporary
   * tables. Changes nothing. Always empty where nobody else can be connected (SQLite, PGlite). MySQL and MariaDB answer a
   * moment before a statement is over: it may be there still.
   */
  openResources(): Promise<OpenResource[]>
  /** Ends the sessions that these are of: their clients lose the connection. What is of no session stays. */
  endOpenResources(found: readonly OpenResource[]): Promise<void>
  /** Gives the database back. May be called again. */
  release(): Promise<void>
}

/** Which database a lease takes, and whether it keeps the process alive. */
export interface LeaseOptions {
  /** The slot to look at first, counted from 1, for a worker that always wants the same database. Default 1. */
  readonly slot?: number
  /**
   * Whether the process may end without having released the database: the lease ends with the process, and does not
   * keep it alive. Default false.
   */
  readonly unref?: boolean
}
