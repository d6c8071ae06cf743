/**
 * In: the handle of a harness. Out: a socket, on which the workers of the run lease databases, have them
 * reset and give them back. The sessions stay in this process, so that a worker needs no driver, and a new
 * test file no new session. Called by the global setup of a runner.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import type { Harness } from '../../../harness/harness.ts'
import type { RunHandle } from '../run-handle.ts'
import { LeasePool } from './lease-pool.ts'
import { type Request, receive, type ServiceAddress } from './messages.ts'
import { type RunReports, ServedWorker } from './served-worker.ts'
import { createSocketFolder } from './socket-folder.ts'

export interface ServiceOptions extends RunReports {
  /** A private folder for the socket; one of its own by default. */
  readonly folder?: string | undefined
}

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
  options: ServiceOptions,
): Promise<{ readonly handle: RunHandle; close(): Promise<void> }> {
  const { handle } = harness
  if (handle.rollback) return { handle, close: async () => {} }
  const service = await serveHarness(harness, options)
  return { handle: { ...handle, service: service.address }, close: service.close }
}

async function serveHarness(
  harness: Pick<Harness, 'handle' | 'lease'>,
  { folder, ...reports }: ServiceOptions,
): Promise<HarnessService> {
  const secret = randomBytes(32).toString('hex')
  const socketFolder = createSocketFolder(folder)
  const pool = new LeasePool(harness)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    const worker = new ServedWorker(socket, pool, reports)
    receive(socket, (message) => {
      if (isRequest(message, secret)) worker.handle(message)
      else socket.destroy()
    })
  })
  await new Promise<void>((listening, failed) => {
    server.once('error', failed)
    server.listen(socketFolder.socket, listening)
  })
  if (process.platform !== 'win32') chmodSync(socketFolder.socket, 0o600)
  // The runner decides how long this process lives.
  server.unref()
  return {
    address: { path: socketFolder.socket, secret },
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await pool.close()
      socketFolder.remove()
    },
  }
}

function isRequest(message: unknown, secret: string): message is Request {
  if (typeof message !== 'object' || message === null || !('secret' in message)) return false
  const given = Buffer.from(String(message.secret))
  const expected = Buffer.from(secret)
  return given.length === expected.length && timingSafeEqual(given, expected)
}
