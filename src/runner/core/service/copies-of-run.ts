import type { KeepOptions, KeptCopy } from '../../../harness/keep-copy.ts'
import type { TestDatabase } from '../../../harness/test-database.ts'
import { now } from '../../../util/clock.ts'

/** Between two files of a run, a worker leases again sooner. In watch mode, another run begins later. */
const PAUSE_MS = 1_000

/**
 * Counts the copies of databases of failed tests: those of the first tests that fail in a run stay, and a run with
 * many failures does not take longer for more.
 */
export class CopiesOfRun {
  readonly #most: number
  #made = 0
  #active = 0
  #idleSince = 0

  /** @param most the number of copies of a run */
  constructor(most: number) {
    this.#most = most
  }

  leased(): void {
    if (this.#active === 0 && now() - this.#idleSince > PAUSE_MS) this.#made = 0
    this.#active++
  }

  released(): void {
    this.#active--
    this.#idleSince = now()
  }

  /** A copy that a test asks for itself, whatever was written, is always made. */
  async keep(database: TestDatabase, options: KeepOptions = {}): Promise<KeptCopy | undefined> {
    if (options.ifDirty !== true) return database.keepCopy(options)
    if (this.#made >= this.#most) return undefined
    this.#made++
    const copy = await database.keepCopy(options)
    if (copy === undefined) this.#made--
    return copy
  }
}
