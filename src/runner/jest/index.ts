/// <reference path="./jest-globals.d.ts" />
import { afterAll, beforeAll } from '@jest/globals'
import { type StartFrom, startFromIn } from '../core/start-from.ts'
import type { WorkerDatabase } from '../core/worker-database.ts'
import { leasing } from './concurrency.ts'
import { inThisRealm, testName, testPath, worker } from './realm.ts'

export type { StartFrom, WorkerDatabase }

/**
 * This worker's database. `DATABASE_URL` points to it, and `afresh/jest/reset` resets it before each test.
 * Its members throw `AfreshError` (`usage`) without that setup file.
 */
export const database: WorkerDatabase = inThisRealm(() => worker().database)

/**
 * In the body of `describe`: its tests start from what a function writes. Tests with databases of their own
 * (`withDatabase`) start from the baseline.
 */
export const startFrom: StartFrom = startFromIn({ beforeAll, afterAll }, worker)

/** The context of a test with a database of its own. */
export interface WithDatabase {
  /** At its baseline, and leased exclusively until the test is over. */
  readonly database: WorkerDatabase
}

/**
 * Gives a test a database of its own, for `test.concurrent`, whose tests would otherwise share the worker's:
 * `test.concurrent('…', withDatabase(async ({ database }) => { database.url … }))`. With `each`, the values
 * of the row follow. The database is given back when the test is over, whether it passes or fails.
 *
 * @param test its promise is awaited; a test that times out keeps its database until it ends
 */
export function withDatabase<Values extends unknown[]>(
  test: (context: WithDatabase, ...values: Values) => unknown,
): (...values: Values) => Promise<void> {
  return leasing((...values: Values) =>
    worker().withLease({ test: testName(), file: testPath() }, async (own) => {
      await test({ database: inThisRealm(() => own) }, ...values)
    }),
  )
}
