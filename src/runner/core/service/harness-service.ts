/**
 * In: a harness that may still be starting. Out: a socket, on which the workers of the run lease databases,
 * have them reset and give them back. The sessions stay in this process, so that a worker needs no driver, and
 * a new test file no new session. Called by the global setup of a runner.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { withUndo } from '../../../errors.ts'
import type { Harness } from '../../../harness/harness.ts'
import type { RunHandle } from '../run-handle.ts'
import { LeasePool } from './lease-pool.ts'
import { listening } from './listen.ts'
import { type Request, receive, type ServiceAddress } from './messages.ts'
import { type RunReports, type ServedHarness, ServedWorker } from './served-worker.ts'
import { createSocketFolder } from './socket-folder.ts'

/** What the service serves, and what it counts. */
export interface Serving extends RunReports {
  readonly harness: Pick<Harness, 'handle' | 'lease'>
}

export interface HarnessService {
  readonly address: ServiceAddress
  /** The handle for the workers; rejects as `serving` does. */
  handle(): Promise<RunHandle>
  /** Ends all leases and connections, once `serving` is settled. */
  close(): Promise<void>
}

/**
 * Listens at once. Requests wait until `serving` resolves, and fail as it does.
 *
 * @param folder a private folder for the socket; one of its own by default
 */
export async function openService(serving: Promise<Serving>, folder?: string): Promise<HarnessService> {
  // Its users await it, and see its failure.
  serving.catch(() => {})
  const secret = randomBytes(32).toString('hex')
  const socketFolder = createSocketFolder(folder)
  const address = { path: socketFolder.socket, secret }
  const served = serving.then((ready) => serve(ready, address))
  served.catch(() => {})
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    const worker = new ServedWorker(socket, served)
    receive(socket, (message) => {
      if (isRequest(message, secret)) worker.handle(message)
      else socket.destroy()
    })
  })
  await withUndo(
    async () => {
      await listening(server, () => server.listen(socketFolder.socket))
      if (process.platform !== 'win32') chmodSync(socketFolder.socket, 0o600)
    },
    async () => {
      server.close()
      socketFolder.remove()
    },
  )
  // The runner decides how long this process lives.
  server.unref()
  return {
    address,
    handle: async () => (await served).handle,
    async close() {
      const ready = await served.catch(() => undefined)
      server.close()
      for (const socket of sockets) socket.destroy()
      await ready?.pool?.close()
      socketFolder.remove()
    },
  }
}

/** Strategy `rollback` opens a transaction on a client of the worker, so that the worker has its own session. */
function serve({ harness, ...reports }: Serving, address: ServiceAddress): ServedHarness {
  const { handle } = harness
  if (handle.rollback) return { handle, pool: undefined, reports }
  return { handle: { ...handle, service: address }, pool: new LeasePool(harness), reports }
}

function isRequest(message: unknown, secret: string): message is Request {
  if (typeof message !== 'object' || message === null || !('secret' in message)) return false
  const given = Buffer.from(String(message.secret))
  const expected = Buffer.from(secret)
  return given.length === expected.length && timingSafeEqual(given, expected)
}
