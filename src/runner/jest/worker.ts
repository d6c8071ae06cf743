/**
 * What runs in the worker's own realm. A test file has its modules, timers and mocks for itself: there, fake timers
 * would hold up the driver, a mock of `pg` would be in our way, and modules are loaded anew for each file.
 */
import type { Variables } from '../../engine/environment.ts'
import { AfreshError, withCleanUp } from '../../errors.ts'
import { leaseFrom, urlOfSlot } from '../../harness/lease-from.ts'
import type { TestDatabase } from '../../harness/test-database.ts'
import { clearInterval, setInterval } from '../../util/clock.ts'
import { watchConnections } from '../core/connections.ts'
import { checkForLeaks, type NamedTest, resetBeforeTest } from '../core/leak-check.ts'
import { checkVariables, configuredIn, targetVariables } from '../core/other-databases.ts'
import type { WorkerDatabase } from '../core/worker.ts'
import { leaseOf } from './lease.ts'
import { hostOf } from './provided.ts'

let current: TestDatabase | undefined

export interface Entered {
  /** They lead to the database that this test file will have. */
  readonly variables: Variables
  /** Fulfilled when it has it, at its baseline. */
  readonly ready: Promise<void>
}

/** @throws AfreshError `usage` where the global setup is missing */
export function enter(testPath: string): Entered {
  const host = hostOf(testPath)
  const { handle } = host
  const url = urlOfSlot(handle, host.slot)
  watchConnections()
  isChecked = false
  const ready = keepingProcessAlive(async () => {
    current = undefined
    const leased = await leaseOf(host)
    await resetBeforeTest(leased)
    current = leased
  })
  return { variables: targetVariables({ url, handle }), ready }
}

/** The worker's database. Throws `AfreshError` (`usage`) where none is leased yet. */
export const database: WorkerDatabase = {
  get name() {
    return leased().name
  },
  get url() {
    return leased().url
  },
  get env() {
    return leased().env
  },
  begin: (client) => keepingProcessAlive(() => leased().begin(client)),
  reset: () => keepingProcessAlive(() => leased().reset()),
  verify: () => keepingProcessAlive(() => leased().verify()),
  erase: (...given) => keepingProcessAlive(() => leased().erase(...given)),
  purge: (options) => keepingProcessAlive(() => leased().purge(options)),
  openResources: () => keepingProcessAlive(() => leased().openResources()),
}

/** What was held already when the test began. */
let known = new Set<string>()

/** Whether the code of the file has left the variables as they were is looked at once. */
let isChecked = false

/**
 * Before each test, each attempt of it.
 *
 * @param environment of the realm of the test file
 * @throws AfreshError `usage` where the code that was loaded has changed the variables that lead to the database
 */
export function before(testPath: string, environment: NodeJS.ProcessEnv): Promise<void> {
  return keepingProcessAlive(async () => {
    const { handle } = hostOf(testPath)
    const { tests } = handle
    if (!isChecked) checkVariables({ url: leased().url, handle }, configuredIn(environment, handle))
    isChecked = true
    await resetBeforeTest(leased())
    known = new Set(tests.leaks === 'ignore' ? [] : (await leased().openResources()).map(({ id }) => id))
  })
}

/**
 * After it.
 *
 * @throws AfreshError `leak` where the test has left something open
 */
export function after(testPath: string, test: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const { handle } = hostOf(testPath)
  return keepingProcessAlive(() =>
    checkForLeaks({ test, file: testPath }, leased(), handle, { known, environment: () => environment }),
  )
}

/** Leases another database while `use` runs. */
export function withLease(
  { test, file }: NamedTest & { readonly file: string },
  use: (own: WorkerDatabase) => Promise<void>,
): Promise<void> {
  return keepingProcessAlive(async () => {
    const { handle, spare } = hostOf(file)
    const own = await leaseFrom(handle, { slot: spare, unref: true })
    await withCleanUp(
      async () => {
        await use(own)
        await checkForLeaks({ test, file }, own, handle, { known: new Set() })
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
async function keepingProcessAlive<T>(work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, 60_000)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}
