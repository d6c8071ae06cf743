import type { Left, NamedTest } from '../left.ts'
import { lookAfter, resetBefore } from '../worker.ts'
import { isConcurrent, refuseUnlessClaimed } from './concurrency.ts'

/** As much of a vitest test or suite as is needed of it, from version 3.2 on. */
export interface Task {
  readonly name: string
  readonly concurrent?: boolean | undefined
  readonly suite?: Task | undefined
  readonly file?: { readonly filepath: string }
  readonly meta?: object
}

/**
 * Before a test, whoever asks first: the setup file, or the fixture without one.
 *
 * @param over tells when the test is over, each attempt of it
 * @throws AfreshError `usage` for a test beside which others run, and that is none of `afresh/vitest`
 */
export async function before(task: Task, over: (then: () => void) => void): Promise<void> {
  if (isConcurrent(task)) refuseUnlessClaimed(task)
  else await resetBefore(task, over, task.suite ?? task.file)
}

/** After it, in the same way. */
export function after(task: Task): Promise<void> {
  return lookAfter(task, nameOf(task), noteOn(task))
}

/** What reporters find in the `meta` of a test that wrote something, or left something open. */
export interface Meta {
  readonly afresh?: Left
}

/** Where a test wrote nothing, nothing. */
export function noteOn({ meta }: Task): (left: Left) => void {
  return (left) => {
    if (meta !== undefined && left.written.length + left.holds.length > 0)
      Object.assign(meta, { afresh: left })
  }
}

export function nameOf(task: Task): NamedTest {
  const names: string[] = []
  for (let one: Task | undefined = task; one !== undefined; one = one.suite) names.unshift(one.name)
  return { test: names.join(' > '), file: task.file?.filepath }
}
