import type { Plan } from '../plan/plan.ts'
import type { Schema } from '../schema/schema.ts'
import type { BenchDialect } from './bench-dialect.ts'
import type { BulkInsert } from './bulk-insert.ts'
import type { ClientProgram } from './client-program.ts'
import type { Connection, ConnectOptions } from './connection.ts'
import type { CostMeter } from './costs.ts'
import type { Databases } from './databases.ts'
import type { EraseDialect } from './erase-dialect.ts'
import type { Fingerprint } from './fingerprint.ts'
import type { OpenResourceFinder } from './open-resources.ts'
import type { Ownership } from './ownership.ts'
import type { DatabaseState, Detector, Program, Resetter } from './resetter.ts'
import type { RowDialect } from './row-dialect.ts'
import type { Transaction, TransactionOptions } from './transaction/transaction.ts'

/** A database management system that afresh supports. Only its folder contains its SQL. */
export interface Engine {
  readonly name: string
  /** The name for people: `PostgreSQL`. */
  readonly title: string
  readonly capabilities: Capabilities
  /** The URL protocols that it accepts, without the colon. */
  readonly protocols: readonly string[]

  /** Connects, and loads the driver. Throws `AfreshError` (`server`, `usage`). */
  connect(url: string, options?: ConnectOptions): Promise<Connection>
  /** Whether the server is of this engine: engines may share a protocol. */
  isServerOf(connection: Connection): Promise<boolean>
  /** Wraps a client that the user opened; `undefined` if it is not a client of this engine. */
  wrap(client: unknown): Connection | undefined
  /**
   * Strategy `rollback`: opens a transaction on a user's client and intercepts the client until the
   * transaction ends. Returns `undefined` for a client of another engine; absent if the engine has no such
   * client. Throws `AfreshError` (`usage`).
   */
  begin?(client: unknown, options: TransactionOptions): Promise<Transaction> | undefined

  /** Reads the schema of the connection's database. */
  introspect(connection: Connection): Promise<Schema>
  /** A hash of all definitions, equal in all copies of a template; absent if `introspect` reads them all. */
  definitions?(connection: Connection): Promise<string>
  /** Describes parts of the baseline that a reset alone cannot restore, as sentences; printed at startup. */
  warnings?(connection: Connection, schema: Schema, plan: Plan): Promise<readonly string[]>
  /** What a migration could write besides its database, as a sentence; for one that ran as the connection's user. */
  unconfinedWarning?(connection: Connection): Promise<string | undefined>
  /** Reads what the plan needs to know in addition to the schema. */
  inspectState(connection: Connection, schema: Schema): Promise<DatabaseState>
  /**
   * Takes the current content of the database as its baseline and prepares resets. Moves sequences to the
   * positions that the plan says, which differ from the current ones if the plan spreads them. Throws
   * `AfreshError` (`usage`) if the detector is unavailable, with what it needs.
   */
  prepare(connection: Connection, program: Program): Promise<Resetter>
  /** The SQL of each step, for people and for `plan`; one entry per step. */
  render(schema: Schema, plan: Plan): string[]

  /** Counts and hashes the rows of every table, independently of resets: tests verify resets against it. */
  fingerprint(connection: Connection, schema: Schema): Promise<Fingerprint>

  /** Databases of the server; absent if a database is a file or lives in this process. */
  readonly databases: Databases | undefined
  /** How databases of this engine carry an ownership mark. */
  readonly ownership: Ownership
  /** Finds what other sessions hold open; absent if there can be no other session. */
  readonly openResources?: OpenResourceFinder
  /** The number of objects of all kinds in the database; absent if no caller needs it. */
  countObjects?(connection: Connection): Promise<number>
  /** Inserts the rows of fixtures. */
  readonly bulkInsert: BulkInsert
  /** What generating rows needs; absent if generating rows is not supported. */
  readonly rows?: RowDialect
  /** What the choice between DELETE and TRUNCATE needs; absent if the engine has no TRUNCATE. */
  readonly costs?: CostMeter
  /** The program with which people look into a database; absent if there is none. */
  readonly clientProgram?: ClientProgram
  /** The SQL that `erase` needs. */
  readonly erase: EraseDialect
  /** The SQL that `bench` needs. */
  readonly bench: BenchDialect
}

/** Named capabilities. Upper layers check these, never an engine's name. */
export interface Capabilities {
  readonly truncate: boolean
  /** TRUNCATE also resets the counter to its start, whatever its position in the baseline. */
  readonly truncateRestarts: boolean
  /** TRUNCATE must name every referencing table in the same statement. */
  readonly truncateNeedsClosure: boolean
  /** A failed reset changes nothing. */
  readonly atomicReset: boolean
  /** `prepare` reads the baseline from `Program.template`, if set, instead of the current content. */
  readonly baselineInTemplate: boolean
  /** The tables and sequences of a copy have the ids of those of its template. */
  readonly copiesShareIds: boolean
  /** Supported detectors. `prepare` checks whether one is available on this server. */
  readonly detectors: readonly Detector[]
}
