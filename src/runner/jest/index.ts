import type { WorkerDatabase } from '../core/worker.ts'
import { leasing } from './concurrency.ts'
import { inThisRealm, testName, testPath, worker } from './realm.ts'

export type { WorkerDatabase }

/**
 * This worker's database, which `DATABASE_URL` leads to and which `afresh/jest/reset` puts back before each test.
 * Its members throw `AfreshError` (`usage`) without that setup file.
 */
export const database: WorkerDatabase = inThisRealm(() => worker().database)

/** What a test with a database of its own is given. */
export interface WithDatabase {
  /** At its baseline, and nobody else's until the test is over. */
  readonly database: WorkerDatabase
}

/**
 * A test with a database of its own, for `test.concurrent`, whose tests would share the worker's:
 * `test.concurrent('…', withDatabase(async ({ database }) => { database.url … }))`. With `each` the values of the
 * row follow. The database is given back when the test is over, whatever became of it.
 *
 * @param test whose promise is waited for; one that times out keeps its database until it comes to its end
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
