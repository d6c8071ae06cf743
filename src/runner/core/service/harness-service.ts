/**
 * In: the handle of a harness. Out: a socket, on which the workers of the run lease databases, have them
 * reset and give them back. The sessions stay in this process, so that a worker needs no driver, and a new
 * test file no new session. Called by the global setup of a runner.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import type { OpenResource } from '../../../engine/open-resources.ts'
import type { PurgeOptions } from '../../../erase/erase.ts'
import type { EraseOptions } from '../../../erase/options.ts'
import { AfreshError } from '../../../errors.ts'
import type { Harness } from '../../../harness/harness.ts'
import type { TestDatabase } from '../../../harness/test-database.ts'
import type { RunHandle } from '../run-handle.ts'
import { decodeWhere, type EncodedWhere } from './encode-where.ts'
import { toData } from './error-data.ts'
import { LeasePool, type SlotRequest } from './lease-pool.ts'
import { type Reply, type Request, receive, type ServiceAddress, send } from './messages.ts'
import { createSocketFolder } from './socket-folder.ts'

interface HarnessService {
  readonly address: ServiceAddress
  /** Ends all leases and connections. */
  close(): Promise<void>
}

/**
 * The handle for the workers of a run. Strategy `rollback` opens a transaction on a client of the worker, so
 * that the worker keeps the session itself.
 */
export async function handleWithService(
  harness: Pick<Harness, 'handle' | 'lease'>,
  folder?: string,
): Promise<{ readonly handle: RunHandle; close(): Promise<void> }> {
  const { handle } = harness
  if (handle.rollback) return { handle, close: async () => {} }
  const service = await serveHarness(harness, folder)
  return { handle: { ...handle, service: service.address }, close: service.close }
}

/** @param folder a private folder for the socket; one of its own by default */
async function serveHarness(
  harness: Pick<Harness, 'handle' | 'lease'>,
  folder?: string,
): Promise<HarnessService> {
  const secret = randomBytes(32).toString('hex')
  const place = createSocketFolder(folder)
  const pool = new LeasePool(harness)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    serve(socket, pool, secret)
  })
  await new Promise<void>((listening, failed) => {
    server.once('error', failed)
    server.listen(place.socket, listening)
  })
  if (process.platform !== 'win32') chmodSync(place.socket, 0o600)
  // The runner decides how long this process lives.
  server.unref()
  return {
    address: { path: place.socket, secret },
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await pool.close()
      place.remove()
    },
  }
}

/** Serves one worker. Its databases are given up when its connection ends. */
function serve(socket: Socket, pool: LeasePool, secret: string): void {
  const leased = new Map<string, TestDatabase>()
  const running = new Map<number, AbortController>()
  socket.unref()
  socket.on('error', () => {})
  socket.on('close', () => {
    for (const controller of running.values()) controller.abort(new Error('the worker is gone'))
    for (const name of leased.keys()) pool.abandon(name)
  })

  const reply = (message: Reply): void => {
    if (!socket.destroyed) send(socket, message)
  }

  const lease = async (request: SlotRequest): Promise<{ name: string; url: string }> => {
    const database = await pool.take(request)
    const { name, url } = database
    if (socket.destroyed) pool.abandon(name)
    else leased.set(name, database)
    return { name, url }
  }

  const perform = (request: Extract<Request, { method: string }>, signal: AbortSignal): Promise<unknown> => {
    const [first, ...rest] = request.args
    if (request.method === 'lease') return lease(first as SlotRequest)
    const database = leased.get(String(first))
    if (database === undefined) throw notLeased(String(first))
    const optionsOf = (options: unknown): EraseOptions & PurgeOptions => ({
      ...(options as object),
      ...(request.reports && {
        signal,
        onProgress: (progress: unknown) => reply({ id: request.id, progress }),
      }),
    })
    switch (request.method) {
      case 'release':
        leased.delete(database.name)
        pool.giveBack(database.name)
        return Promise.resolve()
      case 'reset':
        return database.reset()
      case 'verify':
        return database.verify()
      case 'openResources':
        return database.openResources()
      case 'endOpenResources':
        return database.endOpenResources(rest[0] as OpenResource[])
      case 'erase':
        return database.erase(String(rest[0]), decodeWhere(rest[1] as EncodedWhere), optionsOf(rest[2]))
      case 'purge':
        return database.purge(optionsOf(rest[0]))
    }
  }

  const answer = async (request: Extract<Request, { method: string }>): Promise<void> => {
    const controller = new AbortController()
    running.set(request.id, controller)
    try {
      reply({ id: request.id, result: await perform(request, controller.signal) })
    } catch (error) {
      reply({ id: request.id, error: toData(error) })
    } finally {
      running.delete(request.id)
    }
  }

  receive(socket, (message) => {
    if (!isRequest(message, secret)) socket.destroy()
    else if ('abort' in message) running.get(message.id)?.abort(message.abort)
    else void answer(message)
  })
}

function isRequest(message: unknown, secret: string): message is Request {
  if (typeof message !== 'object' || message === null || !('secret' in message)) return false
  const given = Buffer.from(String(message.secret))
  const expected = Buffer.from(secret)
  return given.length === expected.length && timingSafeEqual(given, expected)
}

function notLeased(name: string): AfreshError {
  return new AfreshError('server', `The lease of the database "${name}" has ended.`, {
    next: 'Lease another one, and open new clients for it.',
  })
}
