import type { WireProtocol } from '../wire-protocol.ts'

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

const COM_QUIT = 0x01
const COM_INIT_DB = 0x02
const COM_QUERY = 0x03
const COM_PING = 0x0e
const COM_CHANGE_USER = 0x11
const USE = /^\s*use\s+(`[^`]+`|[\w$]+)\s*;?\s*$/i
const LONGEST_USE = 100

/** The protocol version in the server's first packet. */
const GREETING = 10

/** Connection attributes: names and values, each preceded by its length. */
const OWN = ['afresh', 'afresh (harness)', 'afresh (costs)', 'afresh (bench)', 'afresh (liveness)'].map(
  (name) => Buffer.from(`\x0cprogram_name${String.fromCharCode(name.length)}${name}`, 'latin1'),
)

export const wireProtocol: WireProtocol = {
  name: 'mysql',
  title: 'MySQL or MariaDB',
  systemDatabases: ['mysql', 'information_schema', 'performance_schema', 'sys'],
  // The server's id comes before authentication.
  openAfterMs: 200,

  open(bytes) {
    if (bytes.length < HEADER + FIXED || !isSinglePacket(bytes)) return undefined
    const [, , , sequence = 0] = bytes
    const flags = bytes.readUInt32LE(HEADER)
    const zeros = bytes.subarray(HEADER + 9, HEADER + 9 + ZEROS)
    if (sequence < 1 || sequence > 3 || !(flags & CLIENT_PROTOCOL_41) || zeros.some((byte) => byte !== 0))
      return undefined
    if (bytes.length === HEADER + FIXED) return flags & CLIENT_SSL ? 'tls' : undefined
    if (OWN.some((own) => bytes.includes(own))) return 'own'
    const user = wordAt(bytes, HEADER + FIXED)
    const auth = user.end
    const start =
      flags & (CLIENT_PLUGIN_AUTH_LENENC | CLIENT_SECURE_CONNECTION)
        ? auth + 1 + (bytes[auth] ?? 0)
        : wordAt(bytes, auth).end
    const database = flags & CLIENT_CONNECT_WITH_DB ? wordAt(bytes, start).text : ''
    return { database, user: user.text, inUse: false }
  },

  next(session, bytes) {
    // Login packets continue the sequence number; each command starts at 0.
    if (bytes.length < HEADER + 1 || bytes[3] !== 0) return session
    const [command] = bytes.subarray(HEADER)
    // Otherwise the bytes are compressed, or contain several packets.
    const isSingle = isSinglePacket(bytes)
    if (isSingle && command === COM_CHANGE_USER) {
      const user = wordAt(bytes, HEADER + 1)
      const database = wordAt(bytes, user.end + 1 + (bytes[user.end] ?? 0)).text
      return { ...session, user: user.text, database }
    }
    if (isSingle && command === COM_INIT_DB)
      return { ...session, database: bytes.toString('utf8', HEADER + 1) }
    if (isSingle && command === COM_QUERY && bytes.length < LONGEST_USE) {
      // With CLIENT_QUERY_ATTRIBUTES, parameter count (0) and parameter set count (1) precede the statement.
      const start = HEADER + (bytes[HEADER + 1] === 0 ? 3 : 1)
      const [, name] = USE.exec(bytes.toString('utf8', start)) ?? []
      if (name !== undefined) return { ...session, database: name.replaceAll('`', '') }
    }
    return session.inUse || command === COM_QUIT || command === COM_PING
      ? session
      : { ...session, inUse: true }
  },

  endsSession: (bytes) => bytes[3] === 0 && bytes[HEADER] === COM_QUIT,

  // The protocol version, the server version, the session id.
  idInGreeting(bytes) {
    const isGreeting =
      bytes.length > HEADER + FIXED && bytes[3] === 0 && bytes[HEADER] === GREETING && isSinglePacket(bytes)
    const { end } = wordAt(bytes, HEADER + 1)
    return isGreeting && end + 4 <= bytes.length ? bytes.readUInt32LE(end) : undefined
  },
}

function isSinglePacket(bytes: Buffer): boolean {
  return bytes.readUIntLE(0, 3) === bytes.length - HEADER
}

function wordAt(bytes: Buffer, start: number): { readonly text: string; readonly end: number } {
  const zero = bytes.indexOf(0, start)
  const end = zero < 0 ? bytes.length : zero
  return { text: bytes.toString('utf8', start, end), end: end + 1 }
}
