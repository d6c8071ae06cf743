/**
 * In: requests of programs in any language. Out: their replies, if the gate lets them in. With node:http alone: a
 * dozen routes need no library, and leases that end with a connection need the connection itself.
 */
import { chmodSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { AfreshError, codeOf, messageOf } from '../../errors.ts'
import { clearTimeout, setTimeout } from '../../util/clock.ts'
import { listening } from '../core/service/listen.ts'
import { type GateOptions, gateFor } from './gate.ts'
import type { ListenAddress } from './listen-address.ts'
import { readBody } from './read-body.ts'
import { problemOf } from './refusal.ts'
import { answer, type Reply, type RouteContext } from './routes.ts'

/** Each lease may have one, and there are others. */
const MOST_CONNECTIONS = 512
/** For the first request with the token. */
const FIRST_REQUEST_MS = 10_000
/** For the head of a request, and for all of it. */
const HEAD_MS = 10_000
const REQUEST_MS = 30_000
/** How long a connection without a request stays, unless a lease ends with it. */
const IDLE_MS = 60_000

export interface HttpService {
  /** `http://127.0.0.1:41234`, or `unix:` and the path of the socket. */
  readonly url: string
  /** Ends all connections. */
  close(): Promise<void>
}

/** @throws AfreshError `server` if the address cannot be listened on */
export async function serveHttp(context: RouteContext, options: GateOptions): Promise<HttpService> {
  const gate = gateFor(options)
  const unauthenticated = new Unauthenticated()
  const respond = async (
    request: IncomingMessage,
    response: ServerResponse,
    sendContinue = () => {},
  ): Promise<void> => {
    const { socket, method = '', url: target = '' } = request
    // The end of a reply sets the limit for idle connections again.
    response.once('finish', () => {
      if (context.leases.isHeldBy(socket)) socket.setTimeout(0)
    })
    try {
      gate(request)
      unauthenticated.remove(socket)
      write(
        response,
        await answer(context, { method, target, body: () => readBody(request, sendContinue), socket }),
      )
    } catch (error) {
      const { status, problem } = problemOf(error)
      // What was not read of a request would be taken for the next one.
      if (!request.complete) response.setHeader('connection', 'close')
      write(response, { status, body: { error: problem } })
    }
  }
  const limits = { headersTimeout: HEAD_MS, requestTimeout: REQUEST_MS, connectionsCheckingInterval: 1_000 }
  const server = createServer({ ...limits, keepAliveTimeout: IDLE_MS })
  server.maxConnections = MOST_CONNECTIONS
  server.on('connection', (socket) => unauthenticated.add(socket))
  server.on('request', (request, response) => void respond(request, response))
  // The client asks before it sends a body: the gate decides first.
  server.on('checkContinue', (request, response) => {
    void respond(request, response, () => response.writeContinue())
  })
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    else socket.destroy()
  })
  const url = await listen(server, options.listen)
  return { url, close: () => close(server) }
}

/** Connections that have not shown the token yet. They must not use up all that there may be. */
class Unauthenticated {
  readonly #timers = new Map<Socket, NodeJS.Timeout>()

  add(socket: Socket): void {
    // A client on another machine may be gone without a word.
    socket.setKeepAlive(true, 30_000)
    const timer = setTimeout(() => socket.destroy(), FIRST_REQUEST_MS)
    timer.unref()
    this.#timers.set(socket, timer)
    socket.once('close', () => this.remove(socket))
  }

  remove(socket: Socket): void {
    clearTimeout(this.#timers.get(socket))
    this.#timers.delete(socket)
  }
}

function write(response: ServerResponse, { status, body }: Reply): void {
  if (response.destroyed) return
  response.statusCode = status
  response.setHeader('cache-control', 'no-store')
  if (body === undefined) {
    response.end()
    return
  }
  const text = `${JSON.stringify(body)}\n`
  response.setHeader('content-type', 'application/json; charset=utf-8')
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('content-length', Buffer.byteLength(text))
  response.end(text)
}

async function listen(server: Server, address: ListenAddress): Promise<string> {
  try {
    await listening(server, () => {
      if (address.kind === 'socket') listenOnSocket(server, address.path)
      else server.listen({ host: address.host, port: address.port })
    })
  } catch (cause) {
    const isUsed = codeOf(cause) === 'EADDRINUSE'
    throw new AfreshError('server', `The service cannot listen: ${messageOf(cause)}.`, {
      next: isUsed
        ? 'Choose another port; or remove the socket, if no service uses it.'
        : 'Choose another address.',
      cause,
    })
  }
  if (address.kind === 'socket') return `unix:${address.path}`
  const { address: host, port, family } = server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${host}]` : host}:${port}`
}

/** No other user may connect, not even for the moment before its mode is changed. */
function listenOnSocket(server: Server, path: string): void {
  const mask = process.umask(0o177)
  try {
    server.listen(path)
  } finally {
    process.umask(mask)
  }
  if (process.platform !== 'win32') server.once('listening', () => chmodSync(path, 0o600))
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
