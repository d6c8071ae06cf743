/**
 * In: the bytes on a socket. Out: the database of its session, independent of the driver. The runners use it
 * to detect code under test that is connected to a database other than the test's.
 */
import { WIRE_PROTOCOLS } from '../../engine/clients.ts'
import type { ClientSession, WireProtocol } from '../../engine/wire-protocol.ts'

/** The state of a socket after the writes so far. */
export type SocketState =
  /** Not a database client, or a connection of afresh. */
  | { readonly kind: 'other' }
  /** Requests TLS. The rest goes to a socket around this one, or to this one if the server refuses TLS. */
  | { readonly kind: 'tls' }
  | SessionState

export interface SessionState extends ClientSession {
  readonly kind: 'session'
  readonly protocol: WireProtocol
}

const OTHER: SocketState = { kind: 'other' }

/** The state after the client's next write. */
export function stateAfter(before: SocketState | undefined, chunk: unknown): SocketState {
  const bytes = bytesOf(chunk)
  if (before?.kind === 'session')
    return bytes === undefined ? before : { ...before, ...before.protocol.next(before, bytes) }
  return (bytes && firstState(bytes)) ?? OTHER
}

function firstState(bytes: Buffer): SocketState | undefined {
  for (const protocol of WIRE_PROTOCOLS) {
    const opened = protocol.open(bytes)
    if (opened === 'own') return OTHER
    if (opened === 'tls') return { kind: 'tls' }
    if (opened !== undefined) return { kind: 'session', protocol, ...opened }
  }
  return undefined
}

/** Whether a client closes its session. */
export function endsSession({ protocol }: SessionState, chunk: unknown): boolean {
  const bytes = bytesOf(chunk)
  return bytes !== undefined && protocol.endsSession(bytes)
}

/** The id that the server gave a session. */
export interface SessionId {
  readonly protocol: WireProtocol
  readonly id: number
  /** Whether the server is about to accept statements. */
  readonly isOpen: boolean
}

/** The server's session id, if this chunk from the server contains it. */
export function sessionIdIn(state: SocketState | undefined, chunk: unknown): SessionId | undefined {
  const bytes = bytesOf(chunk)
  if (bytes === undefined) return undefined
  if (state === undefined) return idInGreeting(bytes)
  if (state.kind !== 'session' || state.inUse) return undefined
  const { protocol } = state
  const id = protocol.idInReply?.(bytes)
  return id === undefined ? undefined : { protocol, id, isOpen: true }
}

function idInGreeting(bytes: Buffer): SessionId | undefined {
  for (const protocol of WIRE_PROTOCOLS) {
    const id = protocol.idInGreeting?.(bytes)
    if (id !== undefined) return { protocol, id, isOpen: false }
  }
  return undefined
}

function bytesOf(chunk: unknown): Buffer | undefined {
  if (!(chunk instanceof Uint8Array)) return undefined
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
}
