import { afterAll, test as base, beforeAll, type TestAPI } from 'vitest'
import type { HarnessHandle } from '../../harness/handle.ts'
import type { TestDatabase } from '../../harness/test-database.ts'
import { acquireDatabase } from '../core/acquire-database.ts'
import { withOwnDatabase } from '../core/own-database.ts'
import { type StartFrom, startFromIn } from '../core/start-from.ts'
import { beginStart, database, endStart, enter, leave, withConcurrencyCount } from '../core/worker.ts'
import type { WorkerDatabase } from '../core/worker-database.ts'
import { isConcurrent, markIsolated } from './concurrency.ts'
import { after, before, isFailed, nameOf, recordInMeta } from './hooks.ts'
import { host } from './provided.ts'
import type { Task } from './task.ts'

export type { TestEffects } from '../core/leak-check.ts'
export type { Provided } from './provided.ts'
export { database, type StartFrom, type TestDatabase, type WorkerDatabase }

/**
 * In the body of `describe`: its tests start from what a function writes. Needs the setup file
 * `afresh/vitest/reset`. Concurrent tests, which have databases of their own, start from the baseline.
 */
export const startFrom: StartFrom = startFromIn({ beforeAll, afterAll }, () => ({ beginStart, endStart }))

/** The fixtures of `test` from `afresh/vitest`. */
export interface DatabaseFixtures {
  /**
   * A database at the baseline. It is the worker's, reset before each test. A concurrent test
   * (`test.concurrent`, `describe.concurrent`) gets a database of its own.
   */
  readonly database: WorkerDatabase
  /** A database of the test's own, in addition to the worker's. */
  readonly testDatabase: TestDatabase
  /** A database of the file's own. It is not reset between tests, so they can build on each other. */
  readonly fileDatabase: TestDatabase
}

interface Fixtures extends DatabaseFixtures {
  /** Keeps the worker's database leased until the end of the file. */
  readonly leased: undefined
  /** Registers every test of `afresh/vitest` before its hooks run. */
  readonly claimed: undefined
}

type Use<T> = (value: T) => Promise<void>

/**
 * vitest's `test` with fixtures: `test('…', async ({ database }) => { database.url … })`. The database is
 * reset before each test that uses it. With the setup file `afresh/vitest/reset`, it is reset before every
 * test, and both use the same database.
 */
export const test: TestAPI<DatabaseFixtures> = base.extend<Fixtures>({
  claimed: [
    async ({ task }, use) => {
      markIsolated(task)
      if (isConcurrent(task)) await withConcurrencyCount(() => use(undefined))
      else await use(undefined)
    },
    { auto: true },
  ],
  leased: [
    // biome-ignore lint/correctness/noEmptyPattern: vitest reads what a fixture depends on from the pattern
    async ({}, use) => {
      const worker = await host()
      await enter(worker)
      await use(undefined)
      await leave(worker)
    },
    { scope: 'file' },
  ],
  database: async ({ leased: _, task, onTestFinished }, use) => {
    if (isConcurrent(task)) return withOwn(task, use)
    await before(task, onTestFinished)
    await use(database)
    await after(task)
  },
  testDatabase: ({ task }, use) => withOwn(task, use),
  fileDatabase: [
    // biome-ignore lint/correctness/noEmptyPattern: see above
    async ({}, use) => {
      const { handle, slot } = await host()
      await using own = await acquireDatabase(handle, { slot })
      await use(own)
    },
    { scope: 'file' },
  ],
})

/**
 * The handle of the run's harness, with which `join` of `afresh` leases further databases: plain JSON, with the
 * server's password.
 *
 * @throws AfreshError `usage` if the global setup is missing or failed; as `createHarness` does
 */
export async function runHandle(): Promise<HarnessHandle> {
  const { handle } = await host()
  return handle
}

/** Gives the database back, whether the test passes or fails. */
async function withOwn(task: Task, use: Use<TestDatabase>): Promise<void> {
  const { handle, slot } = await host()
  const test = { name: () => nameOf(task), isFailed: () => isFailed(task), note: recordInMeta(task) }
  await withOwnDatabase({ handle, slot }, test, use)
}
