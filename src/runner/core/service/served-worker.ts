import type { Socket } from 'node:net'
import type { OpenResource } from '../../../engine/open-resources.ts'
import type { PurgeOptions } from '../../../erase/erase.ts'
import type { EraseOptions } from '../../../erase/options.ts'
import { AfreshError } from '../../../errors.ts'
import type { KeepOptions } from '../../../harness/keep-copy.ts'
import type { TestDatabase } from '../../../harness/test-database.ts'
import type { RunHandle } from '../run-handle.ts'
import type { RunStatistics } from '../run-statistics.ts'
import type { CopiesOfRun } from './copies-of-run.ts'
import { decodeWhere, type EncodedWhere } from './encode-where.ts'
import { toData } from './error-data.ts'
import type { LeasePool, SlotRequest } from './lease-pool.ts'
import { type Reply, type Request, send } from './messages.ts'

/** Counted and timed in the summary of the run. */
const RESETS: ReadonlySet<string> = new Set(['reset', 'restore'])

type MethodCall = Extract<Request, { method: string }>

/** What the run counts of its workers, and what it says of them at its end. */
export interface RunReports {
  readonly statistics: RunStatistics
  readonly copies: CopiesOfRun
  readonly summary: () => readonly string[]
}

/** A harness that is ready. */
export interface ServedHarness {
  /** For the workers. */
  readonly handle: RunHandle
  /** `undefined` if workers have sessions of their own. */
  readonly pool: LeasePool | undefined
  readonly reports: RunReports
}

/** Answers the requests of one worker, once the harness is ready. Its databases are given up when its connection ends. */
export class ServedWorker {
  readonly #socket: Socket
  readonly #served: Promise<ServedHarness>
  readonly #leased = new Map<string, TestDatabase>()
  readonly #running = new Map<number, AbortController>()

  constructor(socket: Socket, served: Promise<ServedHarness>) {
    this.#socket = socket
    this.#served = served
    socket.unref()
    socket.on('error', () => {})
    socket.on('close', () => {
      for (const controller of this.#running.values()) controller.abort(new Error('the worker is gone'))
      // Without leases, there may be no harness yet.
      if (this.#leased.size > 0) void served.then((harness) => this.#abandonAll(harness))
    })
  }

  handle(request: Request): void {
    if ('abort' in request) this.#running.get(request.id)?.abort(request.abort)
    else void this.#answer(request)
  }

  async #answer(request: MethodCall): Promise<void> {
    const controller = new AbortController()
    this.#running.set(request.id, controller)
    try {
      const served = await this.#served
      const work = () => this.#perform(served, request, controller.signal)
      const result = await served.reports.statistics.measure(RESETS.has(request.method), work)
      this.#reply({ id: request.id, result })
    } catch (error) {
      this.#reply({ id: request.id, error: toData(error) })
    } finally {
      this.#running.delete(request.id)
    }
  }

  #reply(message: Reply): void {
    if (!this.#socket.destroyed) send(this.#socket, message)
  }

  #abandonAll({ pool, reports }: ServedHarness): void {
    for (const name of this.#leased.keys()) {
      reports.statistics.released()
      reports.copies.released()
      pool?.abandon(name)
    }
  }

  async #perform(served: ServedHarness, request: MethodCall, signal: AbortSignal): Promise<unknown> {
    const [first, ...rest] = request.args
    const { handle, pool, reports } = served
    if (request.method === 'handle') return handle
    if (request.method === 'summary') return reports.summary()
    if (request.method === 'lease') return this.#lease(served, first as SlotRequest)
    const database = this.#leased.get(String(first))
    if (database === undefined) throw notLeased(String(first))
    switch (request.method) {
      case 'release':
        this.#leased.delete(database.name)
        reports.statistics.released()
        reports.copies.released()
        pool?.giveBack(database.name)
        return
      case 'reset':
        return database.reset()
      case 'verify':
        return database.verify()
      case 'load':
        return database.load(String(rest[0]))
      case 'snapshot':
        return database.snapshot(rest[0] as string)
      case 'restore':
        return database.restore(rest[0] as string)
      case 'dropSnapshot':
        return database.dropSnapshot(rest[0] as string | undefined)
      case 'keepCopy':
        return reports.copies.keep(database, rest[0] as KeepOptions | undefined)
      case 'openResources':
        return database.openResources()
      case 'endOpenResources':
        return database.endOpenResources(rest[0] as OpenResource[])
      case 'erase': {
        const [table, where, options] = rest
        const decoded = decodeWhere(where as EncodedWhere)
        return database.erase(String(table), decoded, this.#optionsOf(options, request, signal))
      }
      case 'purge':
        return database.purge(this.#optionsOf(rest[0], request, signal))
    }
  }

  async #lease(
    { pool, reports }: ServedHarness,
    request: SlotRequest,
  ): Promise<{ name: string; url: string }> {
    if (pool === undefined) throw new Error('with strategy rollback, workers lease by themselves')
    const database = await pool.take(request)
    const { name, url } = database
    if (this.#socket.destroyed) pool.abandon(name)
    else {
      this.#leased.set(name, database)
      reports.statistics.leased(name)
      reports.copies.leased()
    }
    return { name, url }
  }

  #optionsOf(options: unknown, request: MethodCall, signal: AbortSignal): EraseOptions & PurgeOptions {
    const reports = {
      signal,
      onProgress: (progress: unknown) => this.#reply({ id: request.id, progress }),
    }
    return { ...(options as object), ...(request.reports && reports) }
  }
}

function notLeased(name: string): AfreshError {
  return new AfreshError('server', `The lease of the database "${name}" has ended.`, {
    next: 'Lease another one, and open new clients for it.',
  })
}
