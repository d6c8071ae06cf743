import type { WireProtocol } from '../wire-protocol.ts'

// https://www.postgresql.org/docs/current/protocol-message-formats.html: StartupMessage, SSLRequest, GSSENCRequest
const PROTOCOL_3 = 3
const SSL_REQUEST = 80_877_103
const GSS_REQUEST = 80_877_104
const LONGEST_STARTUP = 10_000
const PASSWORD = 0x70 // p
const TERMINATE = 0x58 // X
const BACKEND_KEY_DATA = 0x4b // K

/** Application names of afresh's own connections; see `applicationName` of `ConnectOptions`. */
const OWN_NAME = /^afresh( \([\w ,:.-]+\))?$/

export const wireProtocol: WireProtocol = {
  name: 'postgres',
  title: 'PostgreSQL',
  systemDatabases: ['postgres', 'template1'],

  open(bytes) {
    if (bytes.length < 8 || bytes.readInt32BE(0) !== bytes.length || bytes.length > LONGEST_STARTUP)
      return undefined
    const code = bytes.readInt32BE(4)
    if (code === SSL_REQUEST || code === GSS_REQUEST) return 'tls'
    if (code >> 16 !== PROTOCOL_3) return undefined
    const words = bytes.toString('utf8', 8).split('\0')
    const parameters = new Map<string, string>()
    for (let i = 0; i + 1 < words.length; i += 2) parameters.set(words[i] ?? '', words[i + 1] ?? '')
    if (OWN_NAME.test(parameters.get('application_name') ?? '')) return 'own'
    const user = parameters.get('user') ?? ''
    return { database: parameters.get('database') ?? user, user, inUse: false }
  },

  next(session, bytes) {
    if (session.inUse) return session
    const [type] = bytes
    return { ...session, inUse: type !== PASSWORD && type !== TERMINATE }
  },

  endsSession: (bytes) => bytes[0] === TERMINATE,

  // The key comes after authentication, when the server is about to accept statements.
  idInReply(bytes) {
    for (let offset = 0; offset + 5 <= bytes.length; offset += 1 + bytes.readUInt32BE(offset + 1)) {
      if (bytes[offset] === BACKEND_KEY_DATA && offset + 9 <= bytes.length)
        return bytes.readUInt32BE(offset + 5)
    }
    return undefined
  },
}
