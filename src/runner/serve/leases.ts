/**
 * In: what clients ask for. Out: leases with a number, an id and an end: when the client says so, when its connection
 * ends, or after a time without a request. Called by the routes.
 */
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { AfreshError } from '../../errors.ts'
import type { TestDatabase } from '../../harness/test-database.ts'
import { clearTimeout, setTimeout, time } from '../../util/clock.ts'
import { oneAtATime } from '../../util/one-at-a-time.ts'
import type { RunStatistics } from '../core/run-statistics.ts'
import type { LeasePool } from '../core/service/lease-pool.ts'
import { type Body, MOST_LEASES } from './bodies.ts'
import type { EventLog, LeaseEvent } from './event-log.ts'
import { Refusal } from './refusal.ts'

const DEFAULT_TTL_S = 900

export interface Lease {
  readonly id: string
  /** The number of the database. */
  readonly worker: number
  readonly database: TestDatabase
  readonly client: string | null
  /** The connection with which it ends. */
  readonly socket: Socket | undefined
  readonly leasedAt: number
  /** `undefined`: it ends with its connection only. */
  readonly ttlMs: number | undefined
  /** Milliseconds since 1970, unless another request comes before. */
  expiresAt: number | undefined
  resets: number
}

interface Entry {
  readonly lease: Lease
  readonly queue: ReturnType<typeof oneAtATime>
  requests: number
  timer: NodeJS.Timeout | undefined
}

type EndKind = 'release' | 'expire' | 'disconnect'

export class Leases {
  readonly #pool: LeasePool
  readonly #statistics: RunStatistics
  readonly #events: EventLog
  readonly #entries = new Map<string, Entry>()
  /** How many leases have or want a number. */
  readonly #numbers = new Map<number, number>()
  readonly #sockets = new Map<Socket, Set<Entry>>()

  constructor(pool: LeasePool, statistics: RunStatistics, events: EventLog) {
    this.#pool = pool
    this.#statistics = statistics
    this.#events = events
  }

  all(): readonly Lease[] {
    return [...this.#entries.values()].map(({ lease }) => lease)
  }

  /** Whether a lease ends with this connection. */
  isHeldBy(socket: Socket): boolean {
    return (this.#sockets.get(socket)?.size ?? 0) > 0
  }

  /**
   * Leases the database of a number, or of the first that is free.
   *
   * @throws AfreshError `server` if a number stays in use, or if there are too many leases
   */
  async take(wanted: Body<'lease'>, socket: Socket): Promise<Lease> {
    if (this.#numbers.size >= MOST_LEASES) throw tooMany()
    const worker = wanted.worker ?? this.#firstFree()
    this.#count(worker, 1)
    try {
      const lease = () => this.#pool.take({ slot: worker, exact: true })
      const database = await this.#statistics.measure(false, lease)
      if (socket.destroyed) {
        this.#pool.giveBack(database.name)
        throw new Refusal(499, 'usage', 'The client is gone.')
      }
      return this.#add(worker, database, wanted, socket)
    } catch (error) {
      this.#count(worker, -1)
      throw error
    }
  }

  /** Runs work on the database of a lease, after the work that was asked for before, and renews the lease. */
  async use<T>(id: string, work: (lease: Lease) => Promise<T>): Promise<T> {
    const entry = this.#entryOf(id)
    entry.requests++
    clearTimeout(entry.timer)
    try {
      return await entry.queue(async () => {
        // It may have ended while this request waited.
        this.#entryOf(id)
        return work(entry.lease)
      })
    } finally {
      entry.requests--
      if (entry.requests === 0 && this.#entries.has(id)) this.#renew(entry)
    }
  }

  /** Runs a reset or the like, which the summary of the run counts. */
  measure<T>(lease: Lease, work: () => Promise<T>): Promise<T> {
    lease.resets++
    return this.#statistics.measure(true, work)
  }

  /** Ends a lease as its client asks for. Its database stays, for the next one. */
  async release(id: string): Promise<void> {
    const entry = this.#entryOf(id)
    await this.#end(entry, 'release')
  }

  record(
    { id, worker, client, database }: Lease,
    kind: LeaseEvent['kind'],
    more: Partial<Pick<LeaseEvent, 'test' | 'subject' | 'writes'>> = {},
  ): void {
    const { test = null, subject = null, writes = [] } = more
    this.#events.add({ kind, lease: id, database: database.name, worker, client, test, subject, writes })
  }

  /** No lease expires from now on; the pool ends them. */
  close(): void {
    for (const { timer } of this.#entries.values()) clearTimeout(timer)
    this.#entries.clear()
    this.#sockets.clear()
  }

  #add(worker: number, database: TestDatabase, wanted: Body<'lease'>, socket: Socket): Lease {
    const { client = null, endsWithConnection = false } = wanted
    const { ttlSeconds = endsWithConnection ? undefined : DEFAULT_TTL_S } = wanted
    const lease: Lease = {
      id: randomBytes(16).toString('hex'),
      worker,
      database,
      client,
      socket: endsWithConnection ? socket : undefined,
      leasedAt: time(),
      ttlMs: ttlSeconds === undefined ? undefined : ttlSeconds * 1_000,
      expiresAt: undefined,
      resets: 0,
    }
    const entry: Entry = { lease, queue: oneAtATime(), requests: 0, timer: undefined }
    this.#entries.set(lease.id, entry)
    if (endsWithConnection) this.#bind(entry, socket)
    this.#renew(entry)
    this.#statistics.leased(database.name)
    this.record(lease, 'lease')
    return lease
  }

  #bind(entry: Entry, socket: Socket): void {
    const bound = this.#sockets.get(socket) ?? new Set()
    bound.add(entry)
    if (this.#sockets.has(socket)) return
    this.#sockets.set(socket, bound)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      for (const gone of bound) void this.#end(gone, 'disconnect')
    })
  }

  #renew(entry: Entry): void {
    const { lease } = entry
    clearTimeout(entry.timer)
    if (lease.ttlMs === undefined) return
    lease.expiresAt = time() + lease.ttlMs
    entry.timer = setTimeout(() => void this.#end(entry, 'expire'), lease.ttlMs)
    entry.timer.unref()
  }

  async #end(entry: Entry, kind: EndKind): Promise<void> {
    const { lease, queue, timer } = entry
    if (!this.#entries.delete(lease.id)) return
    clearTimeout(timer)
    if (lease.socket !== undefined) this.#sockets.get(lease.socket)?.delete(entry)
    await queue(async () => {
      this.record(lease, kind)
      this.#statistics.released()
      if (kind === 'release') this.#pool.giveBack(lease.database.name)
      else {
        await endWhatIsOpen(lease.database)
        this.#pool.abandon(lease.database.name)
      }
      this.#count(lease.worker, -1)
    })
  }

  #entryOf(id: string): Entry {
    const entry = this.#entries.get(id)
    if (entry !== undefined) return entry
    throw new Refusal(404, 'not-found', 'There is no such lease, or it has ended.')
  }

  #firstFree(): number {
    let number = 1
    while (this.#numbers.has(number)) number++
    return number
  }

  #count(number: number, change: number): void {
    const leases = (this.#numbers.get(number) ?? 0) + change
    if (leases === 0) this.#numbers.delete(number)
    else this.#numbers.set(number, leases)
  }
}

/** A client that is gone, or has forgotten its lease, may have left locks. They would block the next reset. */
async function endWhatIsOpen(database: TestDatabase): Promise<void> {
  try {
    await database.endOpenResources(await database.openResources())
  } catch {
    // The pool makes the database again if it cannot be reset.
  }
}

function tooMany(): AfreshError {
  return new AfreshError('server', `${MOST_LEASES} databases are leased, and more are not given out.`, {
    next: 'Release some, or lease with endsWithConnection.',
  })
}
