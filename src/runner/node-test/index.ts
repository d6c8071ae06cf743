/**
 * In: a test process of node.
 * Out: a database of its own for each test file. `DATABASE_URL` points to it before the file's code is loaded,
 * and it is reset before each test.
 * Called by node: `node --import afresh/node-test --test`.
 */
import { after, afterEach, before, beforeEach, type TestContext } from 'node:test'
import { isMainThread } from 'node:worker_threads'
import { AfreshError } from '../../errors.ts'
import { INSIDE, joinRun } from '../core/harness-process/join-run.ts'
import type { NamedTest } from '../core/leak-check.ts'
import { withOwnDatabase } from '../core/own-database.ts'
import type { RunHandle } from '../core/run-handle.ts'
import { type StartFrom, startFromIn } from '../core/start-from.ts'
import { beginStart, checkAfterTest, database, endStart, enter, leave, resetBefore } from '../core/worker.ts'
import type { WorkerDatabase } from '../core/worker-database.ts'
import { publish, type TestBody } from './require-bridge.ts'
import { runnerOfThis } from './runner.ts'
import { testMutex } from './test-mutex.ts'

export { database, type StartFrom, type WorkerDatabase }

/**
 * In the body of `describe`: its tests start from what a function writes. Tests with databases of their own
 * (`withDatabase`) start from the baseline.
 */
export const startFrom: StartFrom = startFromIn(
  {
    beforeAll: (hook, timeout) => before(hook, timeout === undefined ? {} : { timeout }),
    afterAll: (hook) => after(hook),
  },
  () => ({ beginStart, endStart }),
)

/** Beside this file in the package, whatever the bundler has made of what it imports. */
const HARNESS_PROCESS = new URL('../core/harness-process/main.js', import.meta.url)

const queue = testMutex()
let host: { readonly handle: RunHandle; readonly slot: number } | undefined

/**
 * A test with a database of its own, at the baseline. It may run concurrently with others of its file:
 * `test('…', withDatabase(async ({ database }, t) => { … }))`. The database is given back when `body` is
 * over, whether it passes or fails. `DATABASE_URL` remains that of the file.
 */
export function withDatabase(body: TestBody): (t: TestContext) => Promise<void> {
  return async (t) => {
    queue.leave(t)
    if (host === undefined) throw notATest()
    const { handle, slot } = host
    const lease = { handle, slot: slot + 1, unref: true }
    await withOwnDatabase(
      lease,
      { name: () => nameOf(t) },
      async (own) => void (await body({ database: own }, t)),
    )
  }
}

function notATest(): AfreshError {
  return new AfreshError(
    'usage',
    'This process was started by a test process, and has no databases of its own.',
    {
      next: 'Use DATABASE_URL, which leads to the database of the test.',
    },
  )
}

function nameOf({ fullName }: TestContext): NamedTest {
  return { test: fullName, file: process.argv[1] }
}

/** Node's types lack `error`: https://nodejs.org/docs/latest-v20.x/api/test.html#contexterror */
function isFailed(test: TestContext & { readonly error?: unknown }): boolean {
  return test.error !== undefined && test.error !== null
}

async function begin(): Promise<void> {
  const { handle } = await joinRun({ runner: runnerOfThis(), program: HARNESS_PROCESS })
  host = { handle, slot: Number(process.env.NODE_TEST_WORKER_ID) || 1 }
  const worker = { ...host, keep: false, background: true }
  await enter(worker)
  process.env[INSIDE] = String(process.pid)
  beforeEach(async (context) => {
    const test = context as TestContext
    // No test is retried, so no callback is needed at its end. Aborted tests are checked as well.
    if (await queue.take(test)) await resetBefore(test, () => {})
  })
  afterEach((context) => {
    const test = context as TestContext
    return checkAfterTest(context, nameOf(test), { isFailed: isFailed(test) })
  })
  // Not `after`: that hook runs whenever no test is pending, for example between two awaited tests.
  process.once('beforeExit', () => void leave(worker))
}

// Threads and processes that a test starts load the same --import, and use the test's database.
if (isMainThread && process.env[INSIDE] === undefined) await begin()
publish({ database, startFrom, withDatabase })
