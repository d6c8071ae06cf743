import type { Harness } from '../../../harness/harness.ts'
import { urlOfSlot } from '../../../harness/lease-from.ts'
import type { TestDatabase } from '../../../harness/test-database.ts'
import { now, sleep } from '../../../util/clock.ts'
import { slotTaken } from '../slot-taken.ts'

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

/** Milliseconds until a worker's database counts as taken: the worker before may not have let it go yet. */
const NOTICE_MS = 5_000

/**
 * The leased databases of a run. A database that a worker gives back stays leased: the next worker needs one
 * reset, and no look at the schema or the rows.
 */
export class LeasePool {
  readonly #harness: Pick<Harness, 'handle' | 'lease'>
  readonly #entries = new Map<string, Entry>()

  /** Every run needs the first slot. It is leased while the runner starts its workers. */
  readonly #first: Promise<void>

  constructor(harness: Pick<Harness, 'handle' | 'lease'>) {
    this.#harness = harness
    // Whoever takes the slot meets the reason again.
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
    const url = urlOfSlot(this.#harness.handle, slot)
    if (slot === 1) await this.#first
    const deadline = now() + NOTICE_MS
    for (;;) {
      const idle = this.#idle(url, exact)
      if (idle !== undefined) {
        const database = await this.#takeIdle(idle)
        if (database !== undefined) return database
        continue
      }
      const own = [...this.#entries.values()].find(({ database }) => database.url === url)
      if (own?.state === 'ending') await own.ended
      if (!exact || own === undefined || own.state === 'ending') {
        const database = await this.#lease(slot)
        if (!exact || database.url === url) return database
        await this.#end(database.name)
      }
      if (now() > deadline) throw slotTaken(slot)
      await sleep(20)
    }
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

  /** Ends all leases. */
  async close(): Promise<void> {
    await this.#first
    await Promise.all([...this.#entries.keys()].map((name) => this.#end(name)))
  }

  async #lease(slot: number): Promise<TestDatabase> {
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

  /** `undefined` if the database cannot be reset: its lease ends, and the next one makes it again. */
  async #takeIdle(entry: Entry): Promise<TestDatabase | undefined> {
    entry.state = 'in use'
    const { database } = entry
    try {
      await database.reset()
      return database
    } catch {
      await this.#end(database.name)
      return undefined
    }
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
