/**
 * What runs in the worker's own realm. A test file has its modules, timers and mocks for itself: there, fake timers
 * would hold up the driver, a mock of `pg` would be in our way, and modules are loaded anew for each file.
 */
import { AfreshError, withCleanUp } from '../../errors.ts'
import { leaseFrom, type TestDatabase, urlOfSlot } from '../../harness/test-database.ts'
import { lookAfter, type NamedTest } from '../left.ts'
import type { WorkerDatabase } from '../worker.ts'
import { leaseOf } from './lease.ts'
import { hostOf } from './provided.ts'

let current: TestDatabase | undefined

export interface Entered {
  /** Of the database that this test file will have. */
  readonly url: string
  /** Fulfilled when it has it, at its baseline. */
  readonly ready: Promise<void>
}

/** @throws AfreshError `usage` where the global setup is missing */
export function enter(testPath: string): Entered {
  const host = hostOf(testPath)
  const ready = awake(async () => {
    current = undefined
    const leased = await leaseOf(host)
    await leased.reset()
    current = leased
  })
  return { url: urlOfSlot(host.handle, host.slot), ready }
}

/** The worker's database. Throws `AfreshError` (`usage`) where none is leased yet. */
export const database: WorkerDatabase = {
  get name() {
    return leased().name
  },
  get url() {
    return leased().url
  },
  begin: (client) => awake(() => leased().begin(client)),
  reset: () => awake(() => leased().reset()),
  verify: () => awake(() => leased().verify()),
  erase: (...given) => awake(() => leased().erase(...given)),
  purge: (options) => awake(() => leased().purge(options)),
  holds: () => awake(() => leased().holds()),
}

/** What was held already when the test began. */
let known = new Set<string>()

/** Before each test, each attempt of it. */
export function before(testPath: string): Promise<void> {
  return awake(async () => {
    const { tests } = hostOf(testPath).handle
    await leased().reset()
    known = new Set(tests.leaks === 'ignore' ? [] : (await leased().holds()).map(({ id }) => id))
  })
}

/**
 * After it.
 *
 * @throws AfreshError `leak` where the test has left something open
 */
export function after(testPath: string, test: string): Promise<void> {
  const { tests } = hostOf(testPath).handle
  return awake(() => lookAfter({ test, file: testPath }, leased(), tests, { known }))
}

/** Leases another database while `use` runs. */
export function withLease(
  { test, file }: NamedTest & { readonly file: string },
  use: (own: WorkerDatabase) => Promise<void>,
): Promise<void> {
  return awake(async () => {
    const { handle, spare } = hostOf(file)
    const own = await leaseFrom(handle, { slot: spare, unref: true })
    await withCleanUp(
      async () => {
        await use(own)
        await lookAfter({ test, file }, own, handle.tests, { known: new Set() })
      },
      () => own.release(),
    )
  })
}

function leased(): TestDatabase {
  if (current !== undefined) return current
  throw new AfreshError('usage', 'This test file has no database yet.', {
    next: "Add setupFilesAfterEnv: ['afresh/jest/reset'] to the jest configuration.",
  })
}

/** A lease does not keep the process alive; while somebody waits for it, it has to be kept. */
async function awake<T>(work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, 60_000)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}
