import { AfreshError } from '../../errors.ts'

/** As much of a vitest test or suite as tells whether others run beside it. */
export interface Task {
  readonly name: string
  readonly concurrent?: boolean | undefined
  readonly suite?: Task | undefined
}

/**
 * Throws `AfreshError` (`usage`) for a test beside which others run: their hooks interleave, and the reset before
 * one would wipe the rows of another. A sequential test in a concurrent suite has neighbours too.
 */
export function refuseConcurrent(test: Task): void {
  for (let task: Task | undefined = test; task !== undefined; task = task.suite) {
    if (task.concurrent === true) throw concurrentTest(test)
  }
}

function concurrentTest({ name }: Task): AfreshError {
  return new AfreshError(
    'usage',
    `"${name}" runs concurrently with other tests of its file, which share its database: a reset would wipe their rows.`,
    {
      next:
        'Make it sequential (no .concurrent; sequence.concurrent: false): files still run in parallel, each worker with ' +
        'a database of its own. Or lease one for this test: join(inject("afresh").handle), in a project without afresh/vitest/reset.',
    },
  )
}
