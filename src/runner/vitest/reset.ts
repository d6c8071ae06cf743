/**
 * `setupFiles: ['afresh/vitest/reset']`. vitest runs this file anew for every test file, but keeps the modules
 * that it imports: what belongs to one test file must be done here.
 */
import * as vitest from 'vitest'
import { enter, leave, resetBefore } from '../worker.ts'
import { refuseConcurrent, type Task } from './concurrency.ts'
import { host } from './provided.ts'

interface Context {
  readonly task: Task
  readonly onTestFinished: (then: () => void) => void
}

const worker = host()
await enter(worker)

async function prepare({ task, onTestFinished }: Context): Promise<void> {
  refuseConcurrent(task)
  await resetBefore(task, onTestFinished)
}

// Since vitest 4.1: outside of all the user's hooks, whatever `sequence.hooks` says.
const { aroundEach, aroundAll } = vitest as Partial<typeof vitest>
if (aroundEach !== undefined && aroundAll !== undefined) {
  aroundEach(async (runTest, { task, onTestFinished }) => {
    await prepare({ task, onTestFinished })
    await runTest()
  })
  aroundAll(async (runSuite) => {
    await runSuite()
    await leave(worker)
  })
} else {
  vitest.beforeEach(({ task, onTestFinished }) => prepare({ task, onTestFinished }))
  vitest.afterAll(() => leave(worker))
}
