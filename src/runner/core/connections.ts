/** Records which databases the code in this process uses, by watching `net` sockets of any driver. */
import { Socket } from 'node:net'
import { WIRE_PROTOCOLS } from '../../engine/clients.ts'
import type { WireProtocol } from '../../engine/wire-protocol.ts'
import { now } from '../../util/clock.ts'
import { endsSession, type SessionState, type SocketState, sessionIdIn, stateAfter } from './socket-state.ts'

/** A session of the code under test in which a statement was sent. */
export interface UsedSession extends Pick<SessionState, 'protocol' | 'database' | 'user'> {
  /** `localhost:5432`, or the path of a Unix socket. */
  readonly server: string
}

interface Watch {
  readonly known: WeakMap<Socket, Known>
  /** Sessions used since the last `takeUsed`, one per server and database. */
  readonly used: Map<string, UsedSession>
  /** The databases of all sessions used since the process started. */
  readonly databases: Set<string>
  /** By protocol and session id; see `keyOf`. */
  readonly sockets: Map<string, WeakRef<Socket>>
  /** Sessions that are being opened, with their start time. */
  readonly opening: Map<Socket, number>
}

const WATCH = Symbol.for('afresh.connections')

/** Stored on the prototype, which realms and copies of this module share, unlike `globalThis`. */
type ConnectionWatch = Socket & {
  [WATCH]?: Watch
  readonly _handle?: { reading: boolean; readStop(): void; readStart(): void } | null
}

interface Known {
  state?: SocketState
  target?: string
  /** The server's session id. */
  id?: number
  isParked?: boolean
}

const prototype: ConnectionWatch = Socket.prototype

/** Starts to watch new sessions. Idempotent. */
export function watchConnections(): void {
  if (prototype[WATCH] !== undefined) return
  const watch: Watch = {
    known: new WeakMap(),
    used: new Map(),
    databases: new Set(),
    sockets: new Map(),
    opening: new Map(),
  }
  prototype[WATCH] = watch
  const { connect, write, push } = prototype
  prototype.connect = function (this: ConnectionWatch, ...args: unknown[]) {
    const target = targetOf(args)
    if (target !== undefined) knownOf(watch, this).target = target
    watch.opening.set(this, now())
    return Reflect.apply(connect, this, args)
  }
  prototype.write = function (this: ConnectionWatch, ...args: unknown[]) {
    const known = knownOf(watch, this)
    if (known.state?.kind !== 'other') note(watch, this, known, args[0])
    if (known.isParked === true) unpark(this, known, args[0])
    return Reflect.apply(write, this, args)
  }
  prototype.push = function (this: ConnectionWatch, ...args: unknown[]) {
    const known = knownOf(watch, this)
    if (known.state?.kind !== 'other' && known.id === undefined) identify(watch, this, known, args[0])
    return Reflect.apply(push, this, args)
  }
}

function knownOf({ known }: Watch, socket: Socket): Known {
  const found = known.get(socket)
  if (found !== undefined) return found
  const fresh: Known = {}
  known.set(socket, fresh)
  return fresh
}

function note(watch: Watch, socket: ConnectionWatch, known: Known, chunk: unknown): void {
  const state = stateAfter(known.state, chunk)
  known.state = state
  if (state.kind === 'other' || (state.kind === 'session' && state.inUse)) watch.opening.delete(socket)
  if (state.kind !== 'session' || !state.inUse) return
  const server = known.target ?? remoteOf(socket)
  const { protocol, database, user } = state
  watch.databases.add(database)
  watch.used.set(`${server}/${database}`, { server, protocol, database, user })
}

/** The server sends the session id while the session is opened. */
function identify(watch: Watch, socket: ConnectionWatch, known: Known, chunk: unknown): void {
  const found = sessionIdIn(known.state, chunk)
  if (found === undefined) return
  known.id = found.id
  if (watch.sockets.size >= MANY) forgetGone(watch.sockets)
  watch.sockets.set(keyOf(found.protocol, found.id), new WeakRef(socket))
  if (found.isOpen) watch.opening.delete(socket)
}

function keyOf({ name }: WireProtocol, id: number): string {
  return `${name} ${id}`
}

const MANY = 1000

function forgetGone(sockets: Watch['sockets']): void {
  for (const [key, reference] of sockets) {
    const socket = reference.deref()
    if (socket === undefined || socket.destroyed) sockets.delete(key)
  }
}

/** Milliseconds after which a session counts as open, unless its protocol says otherwise. */
const OPEN_AFTER_MS = 1_000

/** Whether a session is being opened now, so that its first statement is still to be sent. */
export function isOpening(): boolean {
  const opening = prototype[WATCH]?.opening
  for (const [socket, since] of opening ?? []) {
    const { openAfterMs = OPEN_AFTER_MS } = sessionOn(socket)?.protocol ?? {}
    if (socket.destroyed || now() - since > openAfterMs) opening?.delete(socket)
  }
  return (opening?.size ?? 0) > 0
}

/** The sockets of these sessions of this process. */
export function socketsOf(database: string, ids: readonly number[]): Socket[] {
  const watch = prototype[WATCH]
  return ids
    .flatMap((id) => WIRE_PROTOCOLS.map((protocol) => keyOf(protocol, id)))
    .flatMap((key) => watch?.sockets.get(key)?.deref() ?? [])
    .filter((socket) => sessionOn(socket)?.database === database)
}

function sessionOn(socket: Socket): SessionState | undefined {
  const state = prototype[WATCH]?.known.get(socket)?.state
  return state?.kind === 'session' ? state : undefined
}

/**
 * Stops reading from all sessions in matching databases before their server is stopped. Otherwise an idle
 * client would raise an error that nothing handles. A client that is used again reads the error then.
 */
export function pauseAllSockets(isConcerned: (database: string) => boolean): void {
  const watch = prototype[WATCH]
  for (const reference of watch?.sockets.values() ?? []) {
    const socket: ConnectionWatch | undefined = reference.deref()
    if (watch === undefined || socket === undefined) continue
    const database = sessionOn(socket)?.database
    if (database !== undefined && isConcerned(database)) park(socket, knownOf(watch, socket))
  }
}

function park(socket: ConnectionWatch, known: Known): void {
  if (socket.destroyed) return
  known.isParked = true
  socket.pause()
  socket._handle?.readStop()
  if (socket._handle) socket._handle.reading = false
}

function unpark(socket: ConnectionWatch, known: Known, chunk: unknown): void {
  known.isParked = false
  // A client that closes the session does not need to read that the session was ended.
  if (known.state?.kind === 'session' && endsSession(known.state, chunk)) socket.removeAllListeners('data')
  socket.resume()
  // `resume` alone does not restart the handle: the stream assumes that it still reads.
  if (socket._handle?.reading === false) {
    socket._handle.reading = true
    socket._handle.readStart()
  }
}

/** Returns the sessions used since the last call. */
export function takeUsed(): UsedSession[] {
  const used = prototype[WATCH]?.used
  const sessions = [...(used?.values() ?? [])]
  used?.clear()
  return sessions
}

/** Whether a session of this process was ever used in this database. */
export function wasUsed(database: string): boolean {
  return prototype[WATCH]?.databases.has(database) ?? false
}

/** The peer of a socket whose `connect` was not seen: a TLS socket around another one. */
function remoteOf({ remoteAddress: address, remotePort: port }: Socket): string {
  return address === undefined ? 'an unknown server' : `${address.replace(/^::ffff:/, '')}:${port}`
}

/** Parses `connect` arguments: `(port, host?)`, `(path)`, `(options)`, or the array of `net.connect`. */
function targetOf([first, second]: readonly unknown[]): string | undefined {
  if (Array.isArray(first)) return targetOf(first)
  if (typeof first === 'object' && first !== null) {
    const { path, port, host } = first as { path?: unknown; port?: unknown; host?: unknown }
    return typeof path === 'string' ? path : port === undefined ? undefined : `${host ?? 'localhost'}:${port}`
  }
  if (typeof first === 'string' && !/^\d+$/.test(first)) return first
  return first === undefined ? undefined : `${typeof second === 'string' ? second : 'localhost'}:${first}`
}
