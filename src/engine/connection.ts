export type Names = 'server' | 'user' | 'both'

export interface ConnectOptions {
  /** Timeout of a connection attempt in milliseconds. Default 10,000. */
  readonly timeoutMs?: number
  /** The application name that the server shows for this connection. Default `afresh`. */
  readonly applicationName?: string
  /**
   * How names are resolved on engines that have a search path. `server`: only system schemas, so that objects
   * in users' schemas cannot shadow them. `user`: as in a user's session. `both`: system schemas first, for
   * SQL that contains expressions written by users. Default `server`.
   */
  readonly names?: Names
}

export type Row = Record<string, unknown>

export interface Endpoint {
  /** A name, an address, or the path of a socket, as configured. */
  readonly host: string
  readonly port: number
  /** Remote address of the socket; empty for Unix sockets. `undefined` if unknown: `host` then decides. */
  readonly address?: string | undefined
}

export interface Connection {
  /** The URL that the connection was opened with; `undefined` for a client that the user opened. */
  readonly url: string | undefined
  /**
   * The endpoint that the driver connected to, whatever the URL and the environment say; `undefined` for a
   * database in this process.
   */
  readonly endpoint: Endpoint | undefined
  /** The database's name as the server (or the file system) reports it. */
  readonly database: string
  /**
   * Whether afresh opened the connection: session settings may stay changed, and `close` closes it. False for
   * a user's client.
   */
  readonly owned: boolean
  /**
   * Runs one statement with bound values or, without values, several in one round trip. Returns the last
   * one's rows.
   */
  query(sql: string, values?: readonly unknown[]): Promise<Row[]>
  /** Runs one statement; returns how many rows it changed. */
  change(sql: string, values?: readonly unknown[]): Promise<number>
  /** Runs an SQL file as the engine's own client would. Errors name `label`, line and statement. */
  script(sql: string, label: string): Promise<void>
  /**
   * Brings the session back to its beginning: without temporary tables, prepared statements, positions of
   * sequences, locks. Absent if files do not share a session, and for a user's client.
   */
  discard?(): Promise<void>
  /** Runs several files in one session; absent if files are independent of each other, and are UTF-8. */
  scripts?(): ScriptRun
  /**
   * Lets the process exit while the connection is open; absent if the connection never keeps the process
   * running.
   */
  unref?(): void
  close(): Promise<void>
}

/** Runs SQL files in sequence, as raw bytes. */
export interface ScriptRun {
  /** Like `Connection.script`, in a separate session. */
  run(file: Uint8Array, label: string): Promise<void>
  /**
   * A URL for programs that connect themselves, restricted to this database if the server has accounts for
   * that.
   */
  url?(): Promise<string | undefined>
  /** A connection for afresh itself, restricted as the files are, for statements of afresh. `end` closes it. */
  connection?(): Promise<Connection>
  /** Called once, after the last file, also after a failure. */
  end(): Promise<void>
}
