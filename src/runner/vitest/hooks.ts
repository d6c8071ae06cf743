import type { NamedTest, TestEffects } from '../core/leak-check.ts'
import { checkAfterTest, resetBefore } from '../core/worker.ts'
import { isConcurrent, rejectUnlessIsolated } from './concurrency.ts'
import type { Task } from './task.ts'

/**
 * Before a test, whoever asks first: the setup file, or the fixture without one.
 *
 * @param over tells when the test is over, each attempt of it
 * @throws AfreshError `usage` for a test beside which others run, and that is none of `afresh/vitest`
 */
export async function before(task: Task, over: (then: () => void) => void): Promise<void> {
  if (isConcurrent(task)) rejectUnlessIsolated(task)
  else await resetBefore(task, over, task.suite ?? task.file)
}

/** After it, in the same way. */
export function after(task: Task): Promise<void> {
  return checkAfterTest(task, nameOf(task), recordInMeta(task))
}

/** What reporters find in the `meta` of a test that wrote something, or left something open. */
export interface Meta {
  readonly afresh?: TestEffects
}

/** Where a test wrote nothing, nothing. */
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
