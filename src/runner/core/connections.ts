/** Which databases the code in this process talks to: what `net` sends to them, whatever the driver. */
import { Socket } from 'node:net'
import { now } from '../../util/clock.ts'
import { endsSession, idIn, look, type Seen, type Session } from './wire-protocol.ts'

/** A session of the code under test that was used. */
export interface UsedSession extends Pick<Session, 'protocol' | 'database' | 'user'> {
  /** `localhost:5432`, or the path of a socket. */
  readonly server: string
}

interface Watch {
  readonly known: WeakMap<Socket, Known>
  /** Since they were taken last, each once. */
  readonly used: Map<string, UsedSession>
  /** The databases of all sessions that were used since the process began. */
  readonly databases: Set<string>
  /** By protocol and the server's number of the session. */
  readonly sockets: Map<string, WeakRef<Socket>>
  /** Those that are being opened, and since when. */
  readonly opening: Map<Socket, number>
}

const WATCH = Symbol.for('afresh.connections')

/** On the prototype, which realms and copies of this module share as they do not share `globalThis`. */
type ConnectionWatch = Socket & {
  [WATCH]?: Watch
  readonly _handle?: { reading: boolean; readStop(): void; readStart(): void } | null
}

/** What is known of a socket. */
interface Known {
  seen?: Seen
  target?: string
  /** The server's number of the session. */
  id?: number
  isParked?: boolean
}

const prototype: ConnectionWatch = Socket.prototype

/** From now on sessions that are opened are known. May be called again. */
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
    if (known.seen?.kind !== 'other') note(watch, this, known, args[0])
    if (known.isParked === true) unpark(this, known, args[0])
    return Reflect.apply(write, this, args)
  }
  prototype.push = function (this: ConnectionWatch, ...args: unknown[]) {
    const known = knownOf(watch, this)
    if (known.seen?.kind !== 'other' && known.id === undefined) identify(watch, this, known, args[0])
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
  const seen = look(known.seen, chunk)
  known.seen = seen
  if (seen.kind === 'other' || (seen.kind === 'session' && seen.inUse)) watch.opening.delete(socket)
  if (seen.kind !== 'session' || !seen.inUse) return
  const server = known.target ?? remoteOf(socket)
  const { protocol, database, user } = seen
  watch.databases.add(database)
  watch.used.set(`${server}/${database}`, { server, protocol, database, user })
}

/** As it is opened, a session is told its number. */
function identify(watch: Watch, socket: ConnectionWatch, known: Known, chunk: unknown): void {
  const found = chunk instanceof Uint8Array ? idIn(known.seen, chunk) : undefined
  if (found === undefined) return
  const { protocol, id } = found
  known.id = id
  if (watch.sockets.size >= MANY) forgetGone(watch.sockets)
  watch.sockets.set(`${protocol} ${id}`, new WeakRef(socket))
  if (protocol === 'postgres') watch.opening.delete(socket)
}

const MANY = 1000

function forgetGone(sockets: Watch['sockets']): void {
  for (const [key, reference] of sockets) {
    const socket = reference.deref()
    if (socket === undefined || socket.destroyed) sockets.delete(key)
  }
}

/** How long a session may take to be opened, for who waits until all have been. MySQL's tells nothing of its readiness. */
const OPENING_MS = 1_000
const OPENING_MYSQL_MS = 200

/** Whether a session is being opened now: what it was opened for is still to be sent. */
export function isOpening(): boolean {
  const opening = prototype[WATCH]?.opening
  for (const [socket, since] of opening ?? []) {
    const seen = prototype[WATCH]?.known.get(socket)?.seen
    const isMysql = seen?.kind === 'session' && seen.protocol === 'mysql'
    if (socket.destroyed || now() - since > (isMysql ? OPENING_MYSQL_MS : OPENING_MS)) opening?.delete(socket)
  }
  return (opening?.size ?? 0) > 0
}

/**
 * Before these sessions are ended on the server: their clients in this process are not told. A client that nobody uses any
 * more would raise an error that nobody listens for, and fail whichever test runs by then. Who uses it again is told.
 */
export function pauseSockets(database: string, ids: readonly number[]): void {
  const watch = prototype[WATCH]
  for (const key of ids.flatMap((id) => [`postgres ${id}`, `mysql ${id}`])) {
    const socket: ConnectionWatch | undefined = watch?.sockets.get(key)?.deref()
    if (watch === undefined || socket === undefined) continue
    const known = knownOf(watch, socket)
    if (known.seen?.kind === 'session' && known.seen.database === database) park(socket, known)
  }
}

/** The same before a server is ended: for all sessions in databases of these names. */
export function pauseAllSockets(isConcerned: (database: string) => boolean): void {
  const watch = prototype[WATCH]
  for (const reference of watch?.sockets.values() ?? []) {
    const socket: ConnectionWatch | undefined = reference.deref()
    if (watch === undefined || socket === undefined) continue
    const known = knownOf(watch, socket)
    if (known.seen?.kind === 'session' && isConcerned(known.seen.database)) park(socket, known)
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
  // Who only says goodbye need not hear that the session was ended.
  if (known.seen?.kind === 'session' && endsSession(known.seen, chunk)) socket.removeAllListeners('data')
  socket.resume()
  // The stream believes that it still reads.
  if (socket._handle?.reading === false) {
    socket._handle.reading = true
    socket._handle.readStart()
  }
}

/** The sessions that were used since the last call. */
export function takeUsed(): UsedSession[] {
  const used = prototype[WATCH]?.used
  const sessions = [...(used?.values() ?? [])]
  used?.clear()
  return sessions
}

/** Whether any session of this process has ever been used in that database. */
export function wasUsed(database: string): boolean {
  return prototype[WATCH]?.databases.has(database) ?? false
}

/** Of a socket around another one, for TLS. */
function remoteOf({ remoteAddress: address, remotePort: port }: Socket): string {
  return address === undefined ? 'an unknown server' : `${address.replace(/^::ffff:/, '')}:${port}`
}

/** What `connect` takes: `(port, host?)`, `(path)`, `(options)`, or the list of them that `net.connect` makes. */
function targetOf([first, second]: readonly unknown[]): string | undefined {
  if (Array.isArray(first)) return targetOf(first)
  if (typeof first === 'object' && first !== null) {
    const { path, port, host } = first as { path?: unknown; port?: unknown; host?: unknown }
    return typeof path === 'string' ? path : port === undefined ? undefined : `${host ?? 'localhost'}:${port}`
  }
  if (typeof first === 'string' && !/^\d+$/.test(first)) return first
  return first === undefined ? undefined : `${typeof second === 'string' ? second : 'localhost'}:${first}`
}
