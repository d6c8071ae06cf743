import { AfreshError } from '../../errors.ts'
import { leaseFrom, urlOfSlot } from '../../harness/lease-from.ts'
import type { TestDatabase } from '../../harness/test-database.ts'
import { now, sleep } from '../../util/clock.ts'
import { endReportedSessions } from '../core/leak-check.ts'
import type { Host } from './provided.ts'

interface Lease {
  readonly run: string
  readonly database: Promise<TestDatabase>
}

/** One per process, for all bundles: the global teardown gives back what in-band tests leased. */
const KEY = Symbol.for('afresh.jest.lease')
const global = globalThis as { [KEY]?: Lease | undefined }

/** Milliseconds that a server may take to notice that the previous worker with this number has exited. */
const NOTICE_MS = 5_000

/**
 * The database of this worker, in the worker's own slot. It stays leased from one test file to the next,
 * until the process ends or `giveBack`: no hook is guaranteed to run after all others of a file.
 */
export async function leaseOf(host: Host): Promise<TestDatabase> {
  const { run } = host.handle
  if (global[KEY] !== undefined && global[KEY].run !== run) await giveBack()
  global[KEY] ??= { run, database: leaseSlot(host) }
  const lease = global[KEY]
  try {
    return await lease.database
  } catch (error) {
    if (global[KEY] === lease) global[KEY] = undefined
    throw error
  }
}

/** Never fails: the next lease checks the state of the database. */
export async function giveBack(): Promise<void> {
  const lease = global[KEY]
  global[KEY] = undefined
  const end = async (database: TestDatabase) => {
    await endReportedSessions(database).catch(() => {})
    await database.release()
  }
  await lease?.database.then(end).catch(() => {})
}

/** The code under test gets the URL before the lease, so only that database will do. */
async function leaseSlot({ handle, slot }: Host): Promise<TestDatabase> {
  const deadline = now() + NOTICE_MS
  for (;;) {
    const database = await leaseFrom(handle, { slot, unref: true })
    if (database.url === urlOfSlot(handle, slot)) return database
    await database.release()
    if (now() > deadline) break
    await sleep(50)
  }
  throw new AfreshError('server', `The database of jest's worker ${slot} is leased by another process.`, {
    next: 'Start the tests again; if this goes on, end processes of earlier runs.',
  })
}
