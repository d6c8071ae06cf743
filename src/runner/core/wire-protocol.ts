/**
 * In: the bytes that a client writes to its socket. Out: the database of its session, independent of the
 * driver. The runners use it to detect code under test that is connected to a database other than the test's.
 */

/** The state of a socket after the writes so far. */
export type Seen =
  /** Not a database client, or a connection of afresh. */
  | { readonly kind: 'other' }
  /** Requests TLS. The rest goes to a socket around this one, or to this one if the server refuses TLS. */
  | { readonly kind: 'tls' }
  | Session

export interface Session {
  readonly kind: 'session'
  readonly protocol: 'postgres' | 'mysql'
  /** Empty if no database is selected. */
  readonly database: string
  readonly user: string
  /** Whether a statement was sent, so that the session was accepted and is used. */
  readonly inUse: boolean
}

const OTHER: Seen = { kind: 'other' }
const TLS: Seen = { kind: 'tls' }

/** Application names of afresh's own connections; see `applicationName` of `ConnectOptions`. */
const OWN_NAME = /^afresh( \([\w ,:.-]+\))?$/

/** The state after the next write. */
export function look(before: Seen | undefined, chunk: unknown): Seen {
  if (!(chunk instanceof Uint8Array)) return before?.kind === 'session' ? before : OTHER
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  if (before?.kind === 'session')
    return before.protocol === 'postgres' ? inPostgres(before, bytes) : inMysql(before, bytes)
  return postgresStartup(bytes) ?? mysqlHandshake(bytes) ?? OTHER
}

// https://www.postgresql.org/docs/current/protocol-message-formats.html: StartupMessage, SSLRequest, GSSENCRequest
const PROTOCOL_3 = 3
const SSL_REQUEST = 80_877_103
const GSS_REQUEST = 80_877_104
const LONGEST_STARTUP = 10_000

function postgresStartup(bytes: Buffer): Seen | undefined {
  if (bytes.length < 8 || bytes.readInt32BE(0) !== bytes.length || bytes.length > LONGEST_STARTUP)
    return undefined
  const code = bytes.readInt32BE(4)
  if (code === SSL_REQUEST || code === GSS_REQUEST) return TLS
  if (code >> 16 !== PROTOCOL_3) return undefined
  const words = bytes.toString('utf8', 8).split('\0')
  const parameters = new Map<string, string>()
  for (let i = 0; i + 1 < words.length; i += 2) parameters.set(words[i] ?? '', words[i + 1] ?? '')
  if (OWN_NAME.test(parameters.get('application_name') ?? '')) return OTHER
  const user = parameters.get('user') ?? ''
  return {
    kind: 'session',
    protocol: 'postgres',
    database: parameters.get('database') ?? user,
    user,
    inUse: false,
  }
}

const PASSWORD = 0x70 // p
const TERMINATE = 0x58 // X

function inPostgres(session: Session, bytes: Buffer): Session {
  if (session.inUse) return session
  const [type] = bytes
  return { ...session, inUse: type !== PASSWORD && type !== TERMINATE }
}

// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_response.html
const CLIENT_CONNECT_WITH_DB = 0x8
const CLIENT_PROTOCOL_41 = 0x200
const CLIENT_SSL = 0x800
const CLIENT_SECURE_CONNECTION = 0x8000
const CLIENT_PLUGIN_AUTH_LENENC = 0x20_0000
const HEADER = 4
const FIXED = 32
/** MariaDB uses 4 of the 23 zero bytes before the user name. */
const ZEROS = 19

function mysqlHandshake(bytes: Buffer): Seen | undefined {
  if (bytes.length < HEADER + FIXED || bytes.readUIntLE(0, 3) !== bytes.length - HEADER) return undefined
  const [, , , sequence = 0] = bytes
  const flags = bytes.readUInt32LE(HEADER)
  const zeros = bytes.subarray(HEADER + 9, HEADER + 9 + ZEROS)
  if (sequence < 1 || sequence > 3 || !(flags & CLIENT_PROTOCOL_41) || zeros.some((byte) => byte !== 0))
    return undefined
  if (bytes.length === HEADER + FIXED) return flags & CLIENT_SSL ? TLS : undefined
  if (OWN_MYSQL.some((own) => bytes.includes(own))) return OTHER
  const user = wordAt(bytes, HEADER + FIXED)
  const auth = user.end
  const databaseAt =
    flags & (CLIENT_PLUGIN_AUTH_LENENC | CLIENT_SECURE_CONNECTION)
      ? auth + 1 + (bytes[auth] ?? 0)
      : wordAt(bytes, auth).end
  const database = flags & CLIENT_CONNECT_WITH_DB ? wordAt(bytes, databaseAt).text : ''
  return { kind: 'session', protocol: 'mysql', database, user: user.text, inUse: false }
}

/** Connection attributes: names and values, each preceded by its length. */
const OWN_MYSQL = ['afresh', 'afresh (harness)', 'afresh (costs)', 'afresh (bench)', 'afresh (liveness)'].map(
  (name) => Buffer.from(`\x0cprogram_name${String.fromCharCode(name.length)}${name}`, 'latin1'),
)

function wordAt(bytes: Buffer, start: number): { readonly text: string; readonly end: number } {
  const zero = bytes.indexOf(0, start)
  const end = zero < 0 ? bytes.length : zero
  return { text: bytes.toString('utf8', start, end), end: end + 1 }
}

const COM_QUIT = 0x01
const COM_INIT_DB = 0x02
const COM_QUERY = 0x03
const COM_PING = 0x0e
const COM_CHANGE_USER = 0x11
const USE = /^\s*use\s+(`[^`]+`|[\w$]+)\s*;?\s*$/i
const LONGEST_USE = 100

function inMysql(session: Session, bytes: Buffer): Session {
  // Login packets continue the sequence number; each command starts at 0.
  if (bytes.length < HEADER + 1 || bytes[3] !== 0) return session
  const [command] = bytes.subarray(HEADER)
  // Otherwise the bytes are compressed, or contain several packets.
  const isOne = bytes.readUIntLE(0, 3) === bytes.length - HEADER
  if (isOne && command === COM_CHANGE_USER) {
    const user = wordAt(bytes, HEADER + 1)
    return {
      ...session,
      user: user.text,
      database: wordAt(bytes, user.end + 1 + (bytes[user.end] ?? 0)).text,
    }
  }
  if (isOne && command === COM_INIT_DB) return { ...session, database: bytes.toString('utf8', HEADER + 1) }
  if (isOne && command === COM_QUERY && bytes.length < LONGEST_USE) {
    // With CLIENT_QUERY_ATTRIBUTES, parameter count (0) and parameter set count (1) precede the statement.
    const start = HEADER + (bytes[HEADER + 1] === 0 ? 3 : 1)
    const [, name] = USE.exec(bytes.toString('utf8', start)) ?? []
    if (name !== undefined) return { ...session, database: name.replaceAll('`', '') }
  }
  return session.inUse || command === COM_QUIT || command === COM_PING ? session : { ...session, inUse: true }
}

/** Whether a client closes its session. */
export function endsSession({ protocol }: Session, chunk: unknown): boolean {
  if (!(chunk instanceof Uint8Array)) return false
  return protocol === 'postgres' ? chunk[0] === TERMINATE : chunk[3] === 0 && chunk[HEADER] === COM_QUIT
}

const BACKEND_KEY_DATA = 0x4b // K
const GREETING = 10

/** The server's session id, if this chunk contains it. */
export function idIn(
  seen: Seen | undefined,
  chunk: Uint8Array,
): { readonly protocol: Session['protocol']; readonly id: number } | undefined {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  if (seen === undefined) {
    // MySQL's server speaks first: protocol version 10, server version, session id.
    const isGreeting =
      bytes.length > HEADER + FIXED &&
      bytes[3] === 0 &&
      bytes[HEADER] === GREETING &&
      bytes.readUIntLE(0, 3) === bytes.length - HEADER
    const { end } = wordAt(bytes, HEADER + 1)
    return isGreeting && end + 4 <= bytes.length
      ? { protocol: 'mysql', id: bytes.readUInt32LE(end) }
      : undefined
  }
  if (seen.kind !== 'session' || seen.protocol !== 'postgres' || seen.inUse) return undefined
  for (let offset = 0; offset + 5 <= bytes.length; offset += 1 + bytes.readUInt32BE(offset + 1)) {
    if (bytes[offset] === BACKEND_KEY_DATA && offset + 9 <= bytes.length)
      return { protocol: 'postgres', id: bytes.readUInt32BE(offset + 5) }
  }
  return undefined
}
