/** The session of a client on a socket, as its bytes describe it. */
export interface ClientSession {
  /** Empty if no database is selected. */
  readonly database: string
  readonly user: string
  /** Whether a statement was sent, so that the session was accepted and is used. */
  readonly inUse: boolean
}

/** How to recognize the sessions of a protocol by the bytes on their sockets, independent of the driver. */
export interface WireProtocol {
  readonly name: string
  /** The servers that speak it, for people. */
  readonly title: string
  /** Databases that exist on every server. Clients use them to inspect the server or to create a database. */
  readonly systemDatabases: readonly string[]
  /** Milliseconds after which a session counts as open; absent if `idInReply` says when it is. */
  readonly openAfterMs?: number
  /**
   * Reads the first bytes of a client: `tls` requests TLS, `own` is a connection of afresh.
   *
   * @returns `undefined` for another protocol
   */
  open(bytes: Buffer): ClientSession | 'tls' | 'own' | undefined
  /** Reads the next bytes of the client. */
  next(session: ClientSession, bytes: Buffer): ClientSession
  /** Whether the client closes its session. */
  endsSession(bytes: Buffer): boolean
  /** The server's session id in the bytes that it sends first; absent if the client speaks first. */
  idInGreeting?(bytes: Buffer): number | undefined
  /** The server's session id in a reply, which also says that the session is open. */
  idInReply?(bytes: Buffer): number | undefined
}
