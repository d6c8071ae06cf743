import type { TestDatabase } from '../../harness/test-database.ts'
import { acquireDatabase } from '../core/acquire-database.ts'
import { endReportedSessions } from '../core/leak-check.ts'
import type { Host } from './provided.ts'

interface Lease {
  readonly run: string
  readonly database: Promise<TestDatabase>
}

/** One per process, for all bundles: the global teardown gives back what in-band tests leased. */
const KEY = Symbol.for('afresh.jest.lease')
const global = globalThis as { [KEY]?: Lease | undefined }

/**
 * The database of this worker, in the worker's own slot. It stays leased from one test file to the next,
 * until the process ends or `giveBack`: no hook is guaranteed to run after all others of a file.
 */
export async function leaseOf(host: Host): Promise<TestDatabase> {
  const { run } = host.handle
  if (global[KEY] !== undefined && global[KEY].run !== run) await giveBack()
  global[KEY] ??= {
    run,
    database: acquireDatabase(host.handle, { slot: host.slot, exact: true, unref: true }),
  }
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
