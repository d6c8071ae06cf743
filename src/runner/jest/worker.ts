/**
 * Runs in the worker's own realm. Test files have modules, timers and mocks of their own: there, fake timers
 * would stall the driver, a mock of `pg` would replace it, and modules are loaded again for each file.
 */
import type { Variables } from '../../engine/environment.ts'
import { AfreshError, withCleanUp } from '../../errors.ts'
import type { TestDatabase } from '../../harness/test-database.ts'
import { clearInterval, setInterval } from '../../util/clock.ts'
import { acquireDatabase } from '../core/acquire-database.ts'
import { watchConnections } from '../core/connections.ts'
import { checkForLeaks, type NamedTest, resetBeforeTest } from '../core/leak-check.ts'
import { checkVariables, configuredIn, targetVariables } from '../core/other-databases.ts'
import type { WorkerDatabase } from '../core/worker.ts'
import { leaseOf } from './lease.ts'
import { hostOf } from './provided.ts'

let current: TestDatabase | undefined

export interface Entered {
  /** Variables that point to the database that this test file will have. */
  readonly variables: Variables
  /** Resolves when the test file has its database, at the baseline. */
  readonly ready: Promise<void>
}

/** @throws AfreshError `usage` if the global setup is missing */
export function enter(testPath: string): Entered {
  const host = hostOf(testPath)
  const { handle, url } = host
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

/** The worker's database. Throws `AfreshError` (`usage`) before it is leased. */
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

/** Resources that were already open when the test started. */
let known = new Set<string>()

/** Whether the variables were checked, which happens once per file. */
let isChecked = false

/**
 * Before each attempt of a test.
 *
 * @param environment of the test file's realm
 * @throws AfreshError `usage` if the loaded code changed the variables that point to the database
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
 * After each attempt of a test.
 *
 * @throws AfreshError `leak` if the test left something open, `usage` if it used another database
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
    const own = await acquireDatabase(handle, { slot: spare, unref: true })
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

/** A lease does not keep the process alive, so a timer does while a caller waits. */
async function keepingProcessAlive<T>(work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, 60_000)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}
