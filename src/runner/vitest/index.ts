import { test as base, type TestAPI } from 'vitest'
import { database, enter, leave, resetBefore, type WorkerDatabase } from '../worker.ts'
import { refuseConcurrent } from './concurrency.ts'
import { host } from './provided.ts'

export type { Provided } from './provided.ts'
export { database, type WorkerDatabase }

interface Fixtures {
  /** This worker's database, as the test finds it: at the baseline. */
  readonly database: WorkerDatabase
  /** Keeps the database leased until the end of the file. */
  readonly leased: undefined
}

/**
 * vitest's `test` with a fixture: `test('…', async ({ database }) => { database.url … })`. The database is reset
 * before each test that takes it; with the setup file `afresh/vitest/reset` before every test, and both use the
 * same one.
 */
export const test: TestAPI<{ database: WorkerDatabase }> = base.extend<Fixtures>({
  leased: [
    // biome-ignore lint/correctness/noEmptyPattern: vitest reads what a fixture depends on from the pattern
    async ({}, use) => {
      const worker = host()
      await enter(worker)
      await use(undefined)
      await leave(worker)
    },
    { scope: 'file' },
  ],
  database: async ({ leased: _, task, onTestFinished }, use) => {
    refuseConcurrent(task)
    await resetBefore(task, onTestFinished)
    await use(database)
  },
})
