import { withCleanupFailure } from '../errors.ts'

type Cleanup = () => Promise<void>

/** Cleanups that run together, the last one added first, each of them once. */
export class CleanupStack {
  readonly #cleanups = new Set<Cleanup>()

  /** Returns a function that runs this cleanup early, if it has not run yet. */
  add(cleanup: Cleanup): Cleanup {
    const entry: Cleanup = async () => {
      if (this.#cleanups.delete(entry)) await cleanup()
    }
    this.#cleanups.add(entry)
    return entry
  }

  /** Runs all, even if some fail. Throws the first failure, which contains the others. */
  async run(): Promise<void> {
    const failures = await this.settle()
    if (failures.length > 0) throw failures.reduce(withCleanupFailure)
  }

  /** Runs all, and returns the failures. */
  async settle(): Promise<unknown[]> {
    const failures: unknown[] = []
    for (const cleanup of [...this.#cleanups].toReversed()) {
      try {
        await cleanup()
      } catch (error) {
        failures.push(error)
      }
    }
    return failures
  }
}

/** Runs `body`; if it fails, runs what it added to the stack. The error contains the failures of cleanups. */
export async function withUndoStack<T>(body: (undo: CleanupStack) => Promise<T>): Promise<T> {
  const undo = new CleanupStack()
  try {
    return await body(undo)
  } catch (error) {
    throw [error, ...(await undo.settle())].reduce(withCleanupFailure)
  }
}
