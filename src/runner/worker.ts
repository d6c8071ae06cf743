import { AfreshError } from '../errors.ts'
import type { HarnessHandle } from '../harness/handle.ts'
import { leaseFrom, type TestDatabase } from '../harness/test-database.ts'

/** The worker's database as tests may use it: the runner leases it, resets it and gives it back. */
export type WorkerDatabase = Pick<TestDatabase, 'name' | 'url' | 'begin' | 'reset' | 'verify'>

/** What a runner says of the worker that wants a database. */
export interface WorkerHost {
  readonly handle: HarnessHandle
  /** The slot to look at first, counted from 1; the lease on the server decides. */
  readonly slot: number
  /**
   * Whether later test files run in this process with the same modules: their clients were opened with the URL of
   * this database, so it stays leased until the process ends.
   */
  readonly keep: boolean
}

interface Worker {
  lease: { readonly run: string; readonly database: Promise<TestDatabase> } | undefined
  database: TestDatabase | undefined
  users: number
  /** The test that the database was reset for, until it is over. */
  test: object | undefined
}

/**
 * One a worker. Not a variable of this module, since there may be several copies of it in a process: in the
 * bundles of several entries, or loaded anew for every test file.
 */
const KEY = Symbol.for('afresh.worker')
const global = globalThis as { [KEY]?: Worker }
global[KEY] ??= { lease: undefined, database: undefined, users: 0, test: undefined }
const worker = global[KEY]

/**
 * Leases a database for this worker, or joins the lease that it has, and sets `DATABASE_URL` to it. Every `enter`
 * wants a `leave`.
 */
export async function enter({ handle, slot }: WorkerHost): Promise<void> {
  // A run in watch mode may have another harness than the one before.
  if (worker.lease !== undefined && worker.lease.run !== handle.run) await release()
  worker.lease ??= { run: handle.run, database: leaseFrom(handle, { slot }) }
  try {
    worker.database = await worker.lease.database
  } catch (error) {
    worker.lease = undefined
    throw error
  }
  worker.users++
  process.env.DATABASE_URL = worker.database.url
}

/** Gives the database back, at its baseline, when nobody in this worker needs it any more. */
export async function leave({ keep }: WorkerHost): Promise<void> {
  worker.users = Math.max(0, worker.users - 1)
  if (worker.users === 0 && !keep) await release()
}

async function release(): Promise<void> {
  const { database } = worker
  worker.lease = undefined
  worker.database = undefined
  worker.users = 0
  await database?.release()
}

/**
 * Resets the database before a test, unless that was done already: an inner hook, where a runner sets up twice, or
 * a fixture must not wipe what the hooks before it have prepared.
 *
 * @param over tells when the test is over, each attempt of it
 */
export async function resetBefore(test: object, over: (then: () => void) => void): Promise<void> {
  if (worker.test === test) return
  await current().reset()
  worker.test = test
  over(() => {
    worker.test = undefined
  })
}

function current(): TestDatabase {
  if (worker.database !== undefined) return worker.database
  throw new AfreshError('usage', 'This worker has no database yet.', {
    next: "Add setupFiles: ['afresh/vitest/reset'] to the vitest configuration, or take `database` from the test's fixtures.",
  })
}

/** The worker's database. Throws `AfreshError` (`usage`) where none is leased yet. */
export const database: WorkerDatabase = {
  get name() {
    return current().name
  },
  get url() {
    return current().url
  },
  begin: (client) => current().begin(client),
  reset: () => current().reset(),
  verify: () => current().verify(),
}
