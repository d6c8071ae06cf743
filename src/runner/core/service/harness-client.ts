import { connect, type Socket } from 'node:net'
import type { OpenResource } from '../../../engine/open-resources.ts'
import type { PurgeOptions } from '../../../erase/erase.ts'
import type { EraseOptions } from '../../../erase/options.ts'
import type { EraseReport } from '../../../erase/report.ts'
import { AfreshError, messageOf, withUndo } from '../../../errors.ts'
import { withEnvironment } from '../../../harness/environment.ts'
import type { HarnessHandle } from '../../../harness/handle.ts'
import type { KeptCopy } from '../../../harness/keep-copy.ts'
import { wasReleased } from '../../../harness/open-resources.ts'
import type { TestDatabase } from '../../../harness/test-database.ts'
import type { TestReport } from '../../../reset/rollback.ts'
import { rollbackNotSelected } from '../../../reset/rollback-errors.ts'
import type { Difference } from '../../../reset/verify.ts'
import type { RunHandle } from '../run-handle.ts'
import { encodeWhere } from './encode-where.ts'
import { fromData } from './error-data.ts'
import type { SlotRequest } from './lease-pool.ts'
import { type Method, type Reply, receive, type ServiceAddress, send } from './messages.ts'

/**
 * Leases a database by the process that holds the sessions of the run.
 *
 * @throws AfreshError as `leaseFrom` does; `server` if the process is gone
 */
export async function leaseByService(
  handle: HarnessHandle,
  service: ServiceAddress,
  slot: SlotRequest,
): Promise<TestDatabase> {
  const { opened, letGo } = holdConnection(service)
  const { connection, name, url } = await withUndo(
    async () => {
      const connection = await opened
      const leased = (await connection.ask('lease', [slot])) as { name: string; url: string }
      return { connection, ...leased }
    },
    async () => letGo(),
  )
  let isReleased = false
  const ask = async <T>(method: Method, args: readonly unknown[], options?: EraseOptions): Promise<T> => {
    if (isReleased) throw wasReleased(name)
    return (await connection.ask(method, [name, ...args], options)) as T
  }
  const release = async (): Promise<void> => {
    if (isReleased) return
    const released = ask('release', [])
    isReleased = true
    try {
      await released
    } catch (error) {
      // With the process, the lease has ended.
      if (connection.isOpen()) throw error
    } finally {
      letGo()
    }
  }
  const database: Omit<TestDatabase, 'env'> = {
    name,
    url,
    begin: async () => {
      throw isReleased ? wasReleased(name) : rollbackNotSelected()
    },
    reset: () => ask<TestReport>('reset', []),
    verify: () => ask<Difference[]>('verify', []),
    erase: (table, where, options = {}) =>
      ask<EraseReport>('erase', [table, encodeWhere(where), copyable(options)], options),
    purge: (options: PurgeOptions = {}) => ask<EraseReport>('purge', [copyable(options)], options),
    load: (set) => ask<void>('load', [set]),
    snapshot: (name) => ask<void>('snapshot', [name]),
    restore: (name) => ask<TestReport>('restore', [name]),
    dropSnapshot: (name) => ask<void>('dropSnapshot', [name]),
    keepCopy: (options) => ask<KeptCopy | undefined>('keepCopy', [options]),
    openResources: () => ask<OpenResource[]>('openResources', []),
    endOpenResources: (found) => ask<void>('endOpenResources', [found]),
    release,
    [Symbol.asyncDispose]: release,
  }
  return withEnvironment(database, handle)
}

/**
 * What a worker needs to know of its run. Waits until the harness is ready.
 *
 * @throws AfreshError as `createHarness` does; `server` if the process is gone
 */
export async function askHandle(service: ServiceAddress): Promise<RunHandle> {
  return (await askOnce(service, 'handle')) as RunHandle
}

/**
 * What the run says of itself at its end.
 *
 * @throws AfreshError `server` if the process that holds the sessions is gone
 */
export async function askSummary(service: ServiceAddress): Promise<readonly string[]> {
  return (await askOnce(service, 'summary')) as readonly string[]
}

async function askOnce(service: ServiceAddress, method: Method): Promise<unknown> {
  const connection = await openConnection(service)
  try {
    return await connection.ask(method, [])
  } finally {
    connection.end()
  }
}

/** The options without those that are functions of this process. */
function copyable({ onProgress: _, signal: __, ...options }: EraseOptions): object {
  return options
}

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
  readonly onProgress: ((progress: unknown) => void) | undefined
}

interface Connection {
  ask(method: Method, args: readonly unknown[], options?: EraseOptions): Promise<unknown>
  isOpen(): boolean
  end(): void
}

interface SharedConnection {
  readonly opened: Promise<Connection>
  leases: number
}

/** By path. One connection serves all leases of this process, and ends with the last of them. */
const connections = new Map<string, SharedConnection>()

/** Counts the lease before anything is awaited: the end of another one must not end its connection. */
function holdConnection(address: ServiceAddress): { readonly opened: Promise<Connection>; letGo(): void } {
  const { path } = address
  const shared = connections.get(path) ?? { opened: openConnection(address), leases: 0 }
  connections.set(path, shared)
  shared.leases++
  return {
    opened: shared.opened,
    letGo() {
      shared.leases--
      if (shared.leases > 0) return
      if (connections.get(path) === shared) connections.delete(path)
      shared.opened.then(({ end }) => end()).catch(() => {})
    },
  }
}

async function openConnection({ path, secret }: ServiceAddress): Promise<Connection> {
  const socket = await connected(path)
  const waiting = new Map<number, Waiting>()
  let last = 0
  // Only a pending request keeps the process alive.
  socket.unref()

  const settle = (id: number): Waiting | undefined => {
    const found = waiting.get(id)
    waiting.delete(id)
    if (waiting.size === 0) socket.unref()
    return found
  }
  receive(socket, (message) => {
    const reply = message as Reply
    if ('progress' in reply) waiting.get(reply.id)?.onProgress?.(reply.progress)
    else if ('error' in reply) settle(reply.id)?.reject(fromData(reply.error))
    else settle(reply.id)?.resolve(reply.result)
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    for (const id of [...waiting.keys()]) settle(id)?.reject(serviceGone())
  })

  const ask: Connection['ask'] = async (method, args, { onProgress, signal } = {}) => {
    if (socket.destroyed) throw serviceGone()
    const id = ++last
    const abort = () => send(socket, { id, secret, abort: messageOf(signal?.reason) })
    const reports = onProgress !== undefined || signal !== undefined
    const result = new Promise<unknown>((resolve, reject) => {
      waiting.set(id, { resolve, reject, onProgress: onProgress as Waiting['onProgress'] })
    })
    socket.ref()
    try {
      send(socket, { id, secret, method, args, reports })
    } catch (error) {
      settle(id)
      throw notCopyable(method, error)
    }
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort)
    try {
      return await result
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }
  return {
    ask,
    isOpen: () => !socket.destroyed,
    end: () => socket.end(),
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
    socket.once('error', (cause) => reject(serviceGone(cause)))
  })
}

function serviceGone(cause?: unknown): AfreshError {
  return new AfreshError('server', 'The process that holds the database sessions of this run has ended.', {
    next: 'Run the tests again; if it was killed for want of memory, use fewer workers.',
    ...(cause !== undefined && { cause }),
  })
}

function notCopyable(method: Method, cause: unknown): AfreshError {
  return new AfreshError('usage', `${method}: ${messageOf(cause)}`, {
    next: 'Give it texts, numbers, booleans, dates or bytes only.',
    cause,
  })
}
