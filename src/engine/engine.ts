import type { Costs } from '../plan/cost.ts'
import type { Plan } from '../plan/plan.ts'
import type { Schema, SequenceId, SubjectId, TableId } from '../schema/schema.ts'
import type { BenchSyntax } from './bench.ts'
import type { EraseSyntax } from './erase.ts'
import type { Extent } from './extent.ts'
import type { RowSyntax } from './rows.ts'

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
  recognises(connection: Connection): Promise<boolean>
  /** A connection over a client that the user opened, or `undefined` where it is not this engine's. */
  wrap(client: unknown): Connection | undefined

  /** Everything known of the database that the connection is in. */
  introspect(connection: Connection): Promise<Schema>
  /** What the plan must know beyond the schema. */
  survey(connection: Connection, schema: Schema): Promise<Survey>
  /**
   * Takes what is in the database now as its baseline and makes everything ready for resets. Sequences are put
   * where the plan has them, which is elsewhere when they are spread. Throws `AfreshError` (`usage`) for a detector
   * that is not to be had here, saying what it needs.
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
  readonly holds?: HoldFinder
  /** What making rows up needs; absent where rows cannot be made up yet. */
  readonly rows?: RowSyntax
  /** What the choice between DELETE and TRUNCATE needs; absent where there is no TRUNCATE. */
  readonly costs?: CostMeter
  /** What deleting selected rows needs. */
  readonly erase: EraseSyntax
  /** What measuring it at large row counts needs. */
  readonly bench: BenchSyntax
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

export interface ConnectOptions {
  /** Milliseconds before a connection attempt is given up. Default 10,000. */
  readonly timeoutMs?: number
  /** What the server shows of this connection. Default `afresh`. */
  readonly applicationName?: string
}

export type Row = Record<string, unknown>

export interface Endpoint {
  /** A name, an address, or the path of a socket: as it was configured. */
  readonly host: string
  readonly port: number
  /** Whom the socket really talks to; empty where that is no socket. `undefined`: not known, so the name decides. */
  readonly address?: string | undefined
}

export interface Connection {
  /** The URL that it was opened with; `undefined` for a client that the user opened. */
  readonly url: string | undefined
  /** Where the driver really connected to, whatever URL and environment say; `undefined` within this process. */
  readonly endpoint: Endpoint | undefined
  /** The database's name, as the server (or file system) has it. */
  readonly database: string
  /** Whether session settings may stay changed and `close` really closes: not on a user's client. */
  readonly owned: boolean
  /** One statement with bound values, or (without values) several in one round trip, the last one's rows. */
  query(sql: string, values?: readonly unknown[]): Promise<Row[]>
  /** One statement; returns how many rows it has changed. */
  change(sql: string, values?: readonly unknown[]): Promise<number>
  /** Runs a file of SQL as the engine's own client would. Errors name `label`, line and statement. */
  script(sql: string, label: string): Promise<void>
  /** Lets the process end while it is open; absent where it would not keep the process anyway. */
  unref?(): void
  close(): Promise<void>
}

export interface Survey {
  /** Tables that have rows now: they become the baseline's. */
  readonly populated: readonly TableId[]
  /** Whether this session may switch foreign keys and triggers off. */
  readonly mayDisableChecks: boolean
}

/**
 * How dirty tables are found. `wal`: PostgreSQL's own journal names what was written. `counters`: the server counts
 * the writes of each table. `scan`: a look at every table and sequence; exact, and possible everywhere.
 */
export type Detector = 'wal' | 'counters' | 'scan'

export interface Program {
  readonly schema: Schema
  readonly plan: Plan
  /** The ownership mark that the database must carry at every reset. `undefined` only for in-memory handles. */
  readonly mark: string | undefined
  /** A database on the same server that holds the baseline, where rows can be read across databases. */
  readonly template: string | undefined
  /** Milliseconds to wait for another session's lock before the reset fails and names the blocker. */
  readonly lockTimeoutMs: number
  /** The one to use; `auto`: each time the one that is possible and cheaper. */
  readonly detector: Detector | 'auto'
}

export interface Resetter {
  /** Detect, run the steps, report: in as few round trips as the engine allows. Throws `ResetError`, `RefusedError`. */
  reset(): Promise<Outcome>
  /** What is dirty now, by the detector that the next reset would use, or by this one; changes nothing. */
  detect(by?: Detector): Promise<SubjectId[]>
  /** Gives back what `prepare` took; leaves the connection open. */
  close(): Promise<void>
}

export interface Outcome {
  readonly detector: Detector
  /** Why that detector: a phrase for people. */
  readonly why: string
  readonly dirty: readonly SubjectId[]
  /** The catalog is not what the plan was made for: somebody has made or changed tables. */
  readonly stale?: boolean
  /** What was out of the ordinary, in sentences. */
  readonly notes?: readonly string[]
  /** `step`: place in the plan. `rows`: rows touched, where the engine knows. `truncated`: took `orTruncate`. */
  readonly ran: readonly {
    readonly step: number
    readonly rows: number | undefined
    readonly truncated: boolean
  }[]
}

/** `rows`: how many. `hash`: of all rows, whatever their order. */
export interface Fingerprint {
  readonly tables: ReadonlyMap<TableId, { readonly rows: number; readonly hash: string }>
  /** `value:called` */
  readonly sequences: ReadonlyMap<SequenceId, string>
}

/** What it costs a server to be rid of rows. */
export interface CostMeter {
  /** For a server that was never measured. */
  readonly defaults: Costs
  /** What the costs depend on, but for the machine: version and settings, in one line. */
  conditions(connection: Connection): Promise<string>
  /**
   * Measures in an empty database that is nobody's: leaves tables there. As in a run of tests, one connection writes and
   * the other puts right, so that what TRUNCATE makes the other one load again counts.
   */
  measure(connection: Connection, writer: Connection, effort: Effort): Promise<Costs>
}

/** How much patience measuring has. */
export interface Effort {
  /** The most rounds. */
  readonly rounds: number
  /** No round begins after so many milliseconds, but for the first few. */
  readonly budgetMs: number
}

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
  /**
   * Called in the new database before anything is in it, where the engine copies piece by piece: what takes its time may be
   * killed meanwhile, and is to be known for ours then.
   */
  readonly onCreated?: (inside: Connection) => Promise<void>
}

export interface Databases {
  facts(connection: Connection): Promise<ServerFacts>
  /** The URL of another database on the same server. */
  urlOf(url: string, database: string): string
  /** The longest name, in bytes, that the engine keeps whole. */
  readonly maxNameBytes: number
  list(connection: Connection): Promise<DatabaseEntry[]>
  create(connection: Connection, name: string): Promise<void>
  /** A copy of `template`: definitions, rows, sequence positions. Throws `AfreshError`; leaves no half copy. */
  clone(connection: Connection, template: string, name: string, options?: CloneOptions): Promise<void>
  /** What a clone of the database that the connection is in has to copy, by the catalog. */
  extent(connection: Connection): Promise<Extent>
  /** Nobody connects to it any more; also the sign that the template is complete. */
  freeze(connection: Connection, name: string): Promise<void>
  /** Ends its sessions and drops it, unless its mark is not `mark`: then `RefusedError`. */
  drop(connection: Connection, name: string, mark: string): Promise<void>
  /** Other people's sessions in the database, for people to read. */
  sessions(connection: Connection, name: string): Promise<string[]>
  /**
   * A lock that lives as long as the connection. `false`: someone else holds it.
   *
   * @param everywhere whichever database of the server they are connected to. Two who ask at once may both be told so.
   */
  tryLock(connection: Connection, key: string, options?: { readonly everywhere?: boolean }): Promise<boolean>
  unlock(connection: Connection, key: string): Promise<void>
  /** Whether somebody holds the lock. */
  isLocked(connection: Connection, key: string): Promise<boolean>
}

/** Something that a session keeps until it ends it: a test that leaves it is in the way of the next. */
export interface Hold {
  /** The same as long as it is the same one. */
  readonly id: string
  readonly kind: HoldKind
  /** The server's number of the session; `undefined` where it is nobody's, or nobody knows whose. */
  readonly session: number | undefined
  /** Whose it is and what it is about, for people. */
  readonly text: string
}

export type HoldKind =
  | 'open transaction'
  | 'running statement'
  | 'advisory lock'
  | 'temporary table'
  | 'prepared transaction'
  | 'setting of the database'

export interface HoldFinder {
  /** Those of the database that the connection is in, but for its own. */
  find(connection: Connection): Promise<Hold[]>
  /** Ends the sessions of these numbers, as far as they are in that database. */
  end(connection: Connection, sessions: readonly number[]): Promise<void>
}

export interface DatabaseEntry {
  readonly name: string
  readonly mark: string | undefined
  /** Frozen: a complete template. */
  readonly frozen: boolean
}

export interface Ownership {
  /** The mark that is there now; `undefined` where there is none. Not yet proved to be valid. */
  read(connection: Connection): Promise<string | undefined>
  /** The mark that the database the connection is in would have to carry, but for its nonce. */
  expected(connection: Connection): Promise<{ readonly server: string; readonly database: string }>
  write(connection: Connection, mark: string): Promise<void>
  /** Takes this very mark away; another one stays. */
  erase(connection: Connection, mark: string): Promise<void>
  /** In-memory or otherwise in this process alone: needs no mark. */
  isPrivate(connection: Connection): Promise<boolean>
}
