import type { Engine } from '../engine/engine.ts'
import { AfreshError, messageOf } from '../errors.ts'
import { now, sleep } from '../util/clock.ts'
import { settledWithin } from '../util/with-timeout.ts'
import { failureOf } from './failure.ts'
import type { OpenLease, ReacquiredLease } from './lease-session.ts'
import { whileServerAnswers } from './liveness.ts'
import { wasReleased } from './open-resources.ts'

/** How long a server may take to notice a lost connection. It holds the lock until then. */
const NOTICE_MS = 3_000

/** Leases the given slot, or the next free one. */
export type TakeLease = (slot: number, again?: ReacquiredLease) => Promise<OpenLease>

/**
 * A lease that is taken again after its connection was lost: the baseline that the session captured is lost
 * with it, and the next lease finds or creates a database at the baseline.
 */
export class RenewableLease {
  readonly name: string
  readonly url: string
  readonly #slot: number
  readonly #engine: Engine
  readonly #take: TakeLease
  #held: Promise<OpenLease> | undefined
  #again: ReacquiredLease = {}
  #isReleased = false

  private constructor(engine: Engine, take: TakeLease, first: OpenLease) {
    const { name, url, slot } = first.lease
    this.name = name
    this.url = url
    this.#slot = slot
    this.#engine = engine
    this.#take = take
    this.#held = Promise.resolve(first)
  }

  static async take(engine: Engine, wanted: number, take: TakeLease): Promise<RenewableLease> {
    return new RenewableLease(engine, take, await take(wanted))
  }

  get isReleased(): boolean {
    return this.#isReleased
  }

  /** The lease in force, which is taken again if it was lost. */
  async current(): Promise<OpenLease> {
    if (this.#isReleased) throw wasReleased(this.name)
    const opened = this.#held ?? this.#reacquire()
    this.#held = opened
    try {
      return await opened
    } catch (error) {
      // The next call tries again: the obstacle may be gone by then.
      if (this.#held === opened) this.#held = undefined
      throw error instanceof AfreshError ? error : notLeasedAgain(this.name, error)
    }
  }

  /**
   * Does `work`, and forgets the lease if it fails in a way that a new lease may mend.
   *
   * @param doing what is in progress, as the words after "while"
   */
  async run<T>(doing: string, work: () => Promise<T>): Promise<T> {
    const used = this.#held
    try {
      return await whileServerAnswers(work, { engine: this.#engine, url: this.url, doing })
    } catch (error) {
      const isForgotten = !(error instanceof AfreshError) || error.code === 'server' || error.code === 'plan'
      if (isForgotten) {
        await this.#discard(used, { isChanged: error instanceof AfreshError && error.code === 'plan' })
      }
      throw failureOf(error, doing)
    }
  }

  /**
   * Ends the lease, and refuses further use at once. Runs `finish`, then `giveBack` with the lease in force;
   * there is none after a failure.
   */
  async release(finish: () => Promise<void>, giveBack: (last: OpenLease) => Promise<void>): Promise<void> {
    this.#isReleased = true
    await finish()
    const last = await this.#held?.catch(() => undefined)
    if (last === undefined) return
    const doing = 'the database was given back'
    const asked = { engine: this.#engine, url: this.url, doing }
    // Best effort: the next lease checks the database, and recreates it if necessary.
    await whileServerAnswers(() => giveBack(last), asked).catch(() => {})
    await settledWithin(last.lease.release(), NOTICE_MS)
  }

  /** Clients have the URL of this database, so only a lease of the same one helps. */
  async #reacquire(): Promise<OpenLease> {
    const deadline = now() + NOTICE_MS
    for (;;) {
      const taken = await this.#take(this.#slot, this.#again)
      if (taken.lease.name === this.name) {
        this.#again = {}
        return taken
      }
      await taken.lease.release()
      if (now() > deadline) break
      await sleep(50)
    }
    throw new AfreshError(
      'server',
      `The database "${this.name}" was leased by another worker after its connection was lost.`,
      { next: 'Lease another one, and open new clients for it.' },
    )
  }

  /** @param used the lease that failed; does nothing if another lease has replaced it */
  async #discard(
    used: Promise<OpenLease> | undefined,
    { isChanged }: { readonly isChanged: boolean },
  ): Promise<void> {
    if (used === undefined || this.#held !== used) return
    this.#held = undefined
    const letGo = async () => {
      const last = await used
      this.#again = { lost: last.lease.claim.lease, mustBeNew: isChanged }
      // The slot is leased again at once: do not wait until the server notices the lost session.
      await last.lease.release()
    }
    await settledWithin(letGo(), NOTICE_MS)
  }
}

function notLeasedAgain(name: string, cause: unknown): AfreshError {
  return new AfreshError('server', `The database "${name}" could not be leased again: ${messageOf(cause)}.`, {
    next: 'The next reset tries again; see whether the server is up and has a free connection.',
    cause,
  })
}
