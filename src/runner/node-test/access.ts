import { leaseFrom, type TestDatabase } from '../../harness/test-database.ts'
import { lookAfter } from '../left.ts'
import { ownDatabase } from './hooks.ts'
import { currentHandle } from './state.ts'

export { database, type WorkerDatabase } from '../worker.ts'
export type { TestDatabase }

/** As much of node's TestContext as is needed of it. */
export interface NodeTest {
  readonly name: string
  /** With the names of its suites and of the tests that it is part of: since Node 20.16. */
  readonly fullName?: string
  readonly filePath?: string | undefined
}

/**
 * For a test beside which others run: `test('…', withDatabase(async ({ database }) => …))`. The database is the test's
 * own, at the baseline, and given back whatever becomes of the test.
 *
 * @throws AfreshError `usage` where `afresh/node-test` was not loaded before
 */
export function withDatabase<T extends NodeTest>(
  body: (fixtures: { readonly database: TestDatabase }, context: T) => unknown,
): (context: T) => Promise<void> {
  return async (context) => {
    const handle = currentHandle()
    ownDatabase(context)
    const own = await leaseFrom(handle)
    try {
      await body({ database: own }, context)
      const name = { test: context.fullName ?? context.name, file: process.argv[1] }
      await lookAfter(name, own, handle.tests, { known: new Set() })
    } finally {
      await own.release()
    }
  }
}
