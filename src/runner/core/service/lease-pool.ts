import type { Harness } from '../../../harness/harness.ts'
import { urlOfSlot } from '../../../harness/lease-from.ts'
import type { TestDatabase } from '../../../harness/test-database.ts'
import { leaseExactly } from '../lease-exactly.ts'

/** Which database a worker leases. */
export interface SlotRequest {
  /** The preferred slot, counted from 1. */
  readonly slot: number
  /** Whether no other slot will do: the code under test has its URL already. */
  readonly exact: boolean
}

interface Entry {
  readonly database: TestDatabase
  /** Whether it is in the slot that was asked for, which a worker asks for again. */
  readonly isWorkers: boolean
  state: 'in use' | 'idle' | 'ending'
  ended: Promise<void>
}

/**
 * The leased databases of a run. A database that a worker gives back stays leased: the next worker needs one
 * reset, and no look at the schema or the rows.
 */
export class LeasePool {
  readonly #harness: Pick<Harness, 'handle' | 'lease'>
  readonly #entries = new Map<string, Entry>()
  readonly #leasing = new Set<Promise<TestDatabase>>()

  /** Every run needs the first slot. It is leased while the runner starts its workers. */
  readonly #first: Promise<void>

  constructor(harness: Pick<Harness, 'handle' | 'lease'>) {
    this.#harness = harness
    // The next lease of the slot fails for the same reason.
    this.#first = this.#lease(1).then(
      ({ name }) => this.giveBack(name),
      () => {},
    )
  }

  /**
   * A database at the baseline, for exclusive use.
   *
   * @throws AfreshError `server` if none can be leased, or if an exact slot stays in use
   */
  async take({ slot, exact }: SlotRequest): Promise<TestDatabase> {
    if (slot === 1) await this.#first
    const url = urlOfSlot(this.#harness.handle, slot)
    const own = () => [...this.#entries.values()].find(({ database }) => database.url === url)
    const takeOrLease = async () => {
      const idle = await this.#takeIdle(url, exact)
      if (idle !== undefined) return idle
      await own()?.ended
      return this.#lease(slot)
    }
    if (!exact) return takeOrLease()
    const lease = async () => (own()?.state === 'in use' ? undefined : takeOrLease())
    return leaseExactly({ slot, url }, lease, ({ name }) => this.#end(name))
  }

  /** Keeps a database that a worker has given back. */
  giveBack(name: string): void {
    const entry = this.#entries.get(name)
    if (entry?.state === 'in use') entry.state = 'idle'
  }

  /** Ends the lease of a worker that is gone without giving the database back. */
  abandon(name: string): void {
    void this.#end(name)
  }

  /** Ends all leases, also those that are being made: the end of the run would miss their databases. */
  async close(): Promise<void> {
    await this.#first
    await Promise.allSettled(this.#leasing)
    await Promise.all([...this.#entries.keys()].map((name) => this.#end(name)))
  }

  #lease(slot: number): Promise<TestDatabase> {
    const leasing = this.#leaseNow(slot)
    this.#leasing.add(leasing)
    const done = () => this.#leasing.delete(leasing)
    leasing.then(done, done)
    return leasing
  }

  async #leaseNow(slot: number): Promise<TestDatabase> {
    const database = await this.#harness.lease({ slot, unref: true })
    const isWorkers = database.url === urlOfSlot(this.#harness.handle, slot)
    this.#entries.set(database.name, { database, isWorkers, state: 'in use', ended: Promise.resolve() })
    return database
  }

  /** The own slot; or, if any will do, one that no worker has as its own. */
  #idle(url: string, exact: boolean): Entry | undefined {
    const idle = [...this.#entries.values()].filter(({ state }) => state === 'idle')
    const own = idle.find(({ database }) => database.url === url)
    return own ?? (exact ? undefined : idle.find(({ isWorkers }) => !isWorkers))
  }

  /** Resets an idle database. One that cannot be reset ends its lease, and the next lease makes it again. */
  async #takeIdle(url: string, exact: boolean): Promise<TestDatabase | undefined> {
    for (let entry = this.#idle(url, exact); entry !== undefined; entry = this.#idle(url, exact)) {
      entry.state = 'in use'
      const { database } = entry
      try {
        await database.dropSnapshot()
        await database.reset()
        return database
      } catch {
        await this.#end(database.name)
      }
    }
    return undefined
  }

  async #end(name: string): Promise<void> {
    const entry = this.#entries.get(name)
    if (entry === undefined || entry.state === 'ending') return entry?.ended
    entry.state = 'ending'
    entry.ended = entry.database
      .release()
      .catch(() => {})
      .then(() => {
        if (this.#entries.get(name) === entry) this.#entries.delete(name)
      })
    return entry.ended
  }
}
