import { AfreshError } from '../../errors.ts'
import type { Task } from './task.ts'

/** Whether other tests run at the same time, so that hooks interleave. Also true in concurrent suites. */
export function isConcurrent(test: Task): boolean {
  for (let task: Task | undefined = test; task !== undefined; task = task.suite) {
    if (task.concurrent === true) return true
  }
  return false
}

/**
 * Tests that were defined with `test` of `afresh/vitest`. If they run concurrently, each leases its own
 * database. Global, because a process may load several copies of this module.
 */
const KEY = Symbol.for('afresh.claimed')
const global = globalThis as { [KEY]?: WeakSet<object> }
global[KEY] ??= new WeakSet()
const isolatedTests = global[KEY]

export function markIsolated(test: Task): void {
  isolatedTests.add(test)
}

/** @throws AfreshError `usage`: the reset before one of these tests would delete the rows of another */
export function rejectUnlessIsolated(test: Task): void {
  if (isolatedTests.has(test)) return
  throw new AfreshError(
    'usage',
    `"${test.name}" runs concurrently with other tests of its file, which share its database: a reset would wipe their rows.`,
    {
      next:
        "Give it a database of its own: import { test } from 'afresh/vitest' and take `database` from its fixtures. Or make it " +
        'sequential (no .concurrent; sequence.concurrent: false): files still run in parallel.',
    },
  )
}
