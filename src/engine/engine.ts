import type { Plan } from '../plan/plan.ts'
import type { Schema } from '../schema/schema.ts'
import type { BenchDialect } from './bench-dialect.ts'
import type { Connection, ConnectOptions } from './connection.ts'
import type { CostMeter } from './costs.ts'
import type { Databases } from './databases.ts'
import type { ConnectionVariables } from './environment.ts'
import type { EraseDialect } from './erase-dialect.ts'
import type { Fingerprint } from './fingerprint.ts'
import type { OpenResourceFinder } from './open-resources.ts'
import type { Ownership } from './ownership.ts'
import type { DatabaseState, Detector, Program, Resetter } from './resetter.ts'
import type { RowDialect } from './row-dialect.ts'
import type { Transaction, TransactionOptions } from './transaction/transaction.ts'

/** A database management system that afresh can talk to. Its folder is the only place that knows its SQL. */
export interface Engine {
  readonly name: string
  /** For people: `PostgreSQL`. */
  readonly title: string
  readonly capabilities: Capabilities
  /** The URL protocols that it answers to, without the colon. */
  readonly protocols: readonly string[]

  /** Connects. The driver is loaded here, not before. Throws `AfreshError` (`server`, `usage`). */
  connect(url: string, options?: ConnectOptions): Promise<Connection>
  /** Whether the server at the other end is this engine's: several may share a protocol. */
  isServerOf(connection: Connection): Promise<boolean>
  /** A connection over a client that the user opened, or `undefined` where it is not this engine's. */
  wrap(client: unknown): Connection | undefined
  /**
   * Strategy `rollback`: opens a transaction on a client of the user's and takes it over until the end; `undefined` where it
   * is no client of this engine's. Absent where there is no such client. Throws `AfreshError` (`usage`).
   */
  begin?(client: unknown, options: TransactionOptions): Promise<Transaction> | undefined

  /** Everything known of the database that the connection is in. */
  introspect(connection: Connection): Promise<Schema>
  /** A hash of every definition, the same in all copies of a template; absent where `introspect` reads them all. */
  definitions?(connection: Connection): Promise<string>
  /** What of the baseline takes more than a reset to bring back, in sentences; said at the start. */
  warnings?(connection: Connection, schema: Schema, plan: Plan): Promise<readonly string[]>
  /** What the plan must know beyond the schema. */
  inspectState(connection: Connection, schema: Schema): Promise<DatabaseState>
  /**
   * Takes what is in the database now as its baseline and makes everything ready for resets. Sequences are put
   * where the plan has them, which is elsewhere when they are spread. Throws `AfreshError` (`usage`) for a detector
   * that is unavailable here, saying what it needs.
   */
  prepare(connection: Connection, program: Program): Promise<Resetter>
  /** The SQL of each step, for people and for `plan`; one entry a step. */
  render(schema: Schema, plan: Plan): string[]

  /** Rows and content of every table, by a way of its own: the oracle that resets are held against. */
  fingerprint(connection: Connection, schema: Schema): Promise<Fingerprint>

  /** The server as a place of databases; absent where a database is a file or lives in this process. */
  readonly databases: Databases | undefined
  /** How a database of this engine is marked as afresh's own. */
  readonly ownership: Ownership
  /** What other sessions hold; absent where nobody else can be connected. */
  readonly openResources?: OpenResourceFinder
  /** The variables by which its clients find a database; absent where a database is a file. */
  readonly environment?: ConnectionVariables
  /** How many objects of any kind the database has; absent where nobody asks. */
  countObjects?(connection: Connection): Promise<number>
  /** What making rows up needs; absent where rows cannot be made up yet. */
  readonly rows?: RowDialect
  /** What the choice between DELETE and TRUNCATE needs; absent where there is no TRUNCATE. */
  readonly costs?: CostMeter
  /** What deleting selected rows needs. */
  readonly erase: EraseDialect
  /** What measuring it at large row counts needs. */
  readonly bench: BenchDialect
}

/** Named capabilities: upper layers ask for these and never for an engine's name. */
export interface Capabilities {
  readonly truncate: boolean
  /** TRUNCATE also puts the counter back to its start, whatever the baseline's position. */
  readonly truncateRestarts: boolean
  /** TRUNCATE needs every referencing table in the same statement. */
  readonly truncateNeedsClosure: boolean
  /** A failed reset leaves nothing half done. */
  readonly atomicReset: boolean
  /** `prepare` takes the baseline from `Program.template` where there is one, and not from what is there now. */
  readonly baselineInTemplate: boolean
  /** Those that it may have; whether here, `prepare` finds out. */
  readonly detectors: readonly Detector[]
}
