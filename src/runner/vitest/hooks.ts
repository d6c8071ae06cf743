import type { NamedTest, TestEffects } from '../core/leak-check.ts'
import { checkAfterTest, resetBefore } from '../core/worker.ts'
import { isConcurrent, rejectUnlessIsolated } from './concurrency.ts'
import type { Task } from './task.ts'

/**
 * Runs before a test. Called by the setup file, or by the fixture if there is no setup file.
 *
 * @param onTestEnd registers a callback for the end of the test, or of an attempt
 * @throws AfreshError `usage` for a concurrent test that was not defined with `test` of `afresh/vitest`
 */
export async function before(task: Task, onTestEnd: (callback: () => void) => void): Promise<void> {
  if (isConcurrent(task)) rejectUnlessIsolated(task)
  else await resetBefore(task, onTestEnd, task.suite ?? task.file)
}

/** Runs after a test. Called in the same way as `before`. */
export function after(task: Task): Promise<void> {
  return checkAfterTest(task, nameOf(task), { isFailed: isFailed(task), note: recordInMeta(task) })
}

/** Whether the attempt has failed: a test that is expected to (`test.fails`) has not. */
export function isFailed({ result, fails }: Task): boolean {
  return result?.state === 'fail' && fails !== true
}

/** The `meta` of a test that wrote something or left something open, for reporters. */
export interface Meta {
  readonly afresh?: TestEffects
}

/** Records nothing if the test wrote nothing and left nothing open. */
export function recordInMeta({ meta }: Task): (left: TestEffects) => void {
  return (left) => {
    if (meta !== undefined && left.writes.length + left.openResources.length > 0)
      Object.assign(meta, { afresh: left })
  }
}

export function nameOf(task: Task): NamedTest {
  const names: string[] = []
  for (let current: Task | undefined = task; current !== undefined; current = current.suite)
    names.unshift(current.name)
  return { test: names.join(' > '), file: task.file?.filepath }
}
