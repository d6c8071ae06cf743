import { withCleanUp } from '../../errors.ts'
import type { TestDatabase } from '../../harness/test-database.ts'
import { acquireDatabase, type WorkerLease } from './acquire-database.ts'
import { keepFailed } from './keep-failed.ts'
import { checkForLeaks, type NamedTest, type TestEffects } from './leak-check.ts'
import type { RunHandle } from './run-handle.ts'

/** A test with a database of its own. */
export interface OwnTest {
  /** Called when the test is over. */
  name(): NamedTest
  /** Whether the test has failed although its function returned. Default: it has not. */
  isFailed?(): boolean
  /** Called with what the test left, before the error is thrown. */
  readonly note?: ((left: TestEffects) => void) | undefined
}

/**
 * Leases a database for a single test, next to the worker's, and gives it back whatever becomes of the test.
 *
 * @throws AfreshError `leak` if the test left something open
 */
export async function withOwnDatabase(
  { handle, ...lease }: WorkerLease & { readonly handle: RunHandle },
  { name, isFailed = () => false, note }: OwnTest,
  use: (own: TestDatabase) => Promise<void>,
): Promise<void> {
  const own = await acquireDatabase(handle, lease)
  const keep = () => keepFailed(name(), own, handle)
  await withCleanUp(async () => {
    try {
      await use(own)
    } catch (error) {
      await keep()
      throw error
    }
    if (isFailed()) await keep()
    await checkForLeaks(name(), own, handle, { known: new Set(), note })
  }, own.release)
}
