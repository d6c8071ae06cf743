/**
 * `setupFiles: ['afresh/vitest/reset']`. vitest runs this file again for every test file, but keeps the
 * modules that it imports. So whatever each test file needs must be done here.
 */
import * as vitest from 'vitest'
import { enter, leave } from '../core/worker.ts'
import { after, before } from './hooks.ts'
import { host } from './provided.ts'

const worker = await host()
await enter(worker)

// vitest 4.1 and later: these wrap all hooks of the user, regardless of `sequence.hooks`.
const { aroundEach, aroundAll } = vitest as Partial<typeof vitest>
if (aroundEach !== undefined && aroundAll !== undefined) {
  aroundEach(async (runTest, { task }) => {
    let endTest = () => {}
    await before(task, (then) => {
      endTest = then
    })
    try {
      await runTest()
      await after(task)
    } finally {
      endTest()
    }
  })
  aroundAll(async (runSuite) => {
    await runSuite()
    await leave(worker)
  })
} else {
  vitest.beforeEach(({ task, onTestFinished }) => before(task, onTestFinished))
  vitest.afterEach(({ task }) => after(task))
  vitest.afterAll(() => leave(worker))
}
