import { AfreshError } from '../../errors.ts'
import type { TestDatabase } from '../../harness/test-database.ts'
import { now, sleep } from '../../util/clock.ts'

/** Milliseconds that a server may take to notice that the previous worker of the slot has gone. */
const NOTICE_MS = 5_000

/**
 * Leases until the database is the one in the slot of a worker.
 *
 * @param url of that database
 * @param lease `undefined` while the slot is known to be in use
 * @param giveBack called with a database in another slot
 * @throws AfreshError `server` if the slot stays in use
 */
export async function leaseExactly(
  { slot, url }: { readonly slot: number; readonly url: string },
  lease: () => Promise<TestDatabase | undefined>,
  giveBack: (database: TestDatabase) => Promise<void>,
): Promise<TestDatabase> {
  const deadline = now() + NOTICE_MS
  for (;;) {
    const database = await lease()
    if (database?.url === url) return database
    if (database !== undefined) await giveBack(database)
    if (now() > deadline) break
    await sleep(20)
  }
  throw new AfreshError('server', `The database of worker ${slot} is leased by another process.`, {
    next: 'Start the tests again; if this persists, end processes of earlier runs.',
  })
}
