export type Names = 'server' | 'user' | 'both'

export interface ConnectOptions {
  /** Milliseconds before a connection attempt is given up. Default 10,000. */
  readonly timeoutMs?: number
  /** What the server shows of this connection. Default `afresh`. */
  readonly applicationName?: string
  /**
   * How names are looked up, where the engine has a search path: `server` finds the server's own only, whatever users'
   * schemas hold; `user` finds what a user's session would; `both` finds the server's own first, for SQL that users wrote in
   * part. Default `server`.
   */
  readonly names?: Names
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
  /** For files that belong together; absent where each runs by itself, and is UTF-8. */
  scripts?(): ScriptRun
  /** Lets the process end while it is open; absent where it would not keep the process anyway. */
  unref?(): void
  close(): Promise<void>
}

/** Files of SQL one after the other, as the bytes that they are. */
export interface ScriptRun {
  /** As `Connection.script`, in a session of its own. */
  run(file: Uint8Array, label: string): Promise<void>
  /** For what connects by itself: a URL that leads to this one database, where the server has accounts for that. */
  url?(): Promise<string | undefined>
  /** Once, after the last of them, whether it failed or not. */
  end(): Promise<void>
}
