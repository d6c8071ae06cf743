import { AfreshError } from '../../errors.ts'
import type { Task } from './task.ts'

/** Whether others run beside it: hooks interleave then. A sequential test in a concurrent suite has neighbours too. */
export function isConcurrent(test: Task): boolean {
  for (let task: Task | undefined = test; task !== undefined; task = task.suite) {
    if (task.concurrent === true) return true
  }
  return false
}

/**
 * The tests made with `test` of `afresh/vitest`: they take a database of their own where others run beside them.
 * Global, since there may be several copies of this module in a process.
 */
const KEY = Symbol.for('afresh.claimed')
const global = globalThis as { [KEY]?: WeakSet<object> }
global[KEY] ??= new WeakSet()
const isolatedTests = global[KEY]

export function markIsolated(test: Task): void {
  isolatedTests.add(test)
}

/** Throws `AfreshError` (`usage`): the reset before one of these tests would wipe the rows of another. */
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
