import { withCleanUp } from '../../errors.ts'
import type { TestDatabase } from '../../harness/test-database.ts'
import { acquireDatabase, type WorkerLease } from './acquire-database.ts'
import { checkForLeaks, type NamedTest, type TestEffects } from './leak-check.ts'
import type { RunHandle } from './run-handle.ts'

/**
 * Leases a database for a single test, next to the worker's, and gives it back whatever becomes of the test.
 *
 * @param note called with what the test left, before the error is thrown
 * @throws AfreshError `leak` if the test left something open
 */
export async function withOwnDatabase(
  { handle, ...lease }: WorkerLease & { readonly handle: RunHandle },
  test: () => NamedTest,
  use: (own: TestDatabase) => Promise<void>,
  note: (left: TestEffects) => void = () => {},
): Promise<void> {
  const own = await acquireDatabase(handle, lease)
  await withCleanUp(async () => {
    await use(own)
    await checkForLeaks(test(), own, handle, { known: new Set(), note })
  }, own.release)
}
