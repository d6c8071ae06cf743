/**
 * In: a process of mocha, which loads this module with `--require afresh/mocha`.
 * Out: a database for each process. `DATABASE_URL` points to it before the test files are loaded, and it is reset
 * before each test.
 * Called by mocha, as a plugin of root hooks and global fixtures.
 */

import { type JoinedRun, joinRun } from '../core/harness-process/join-run.ts'
import { checkAfterTest, database, enter, releaseWorker, resetBefore } from '../core/worker.ts'
import type { WorkerDatabase } from '../core/worker-database.ts'
import { type HookContext, nameOf, type RootHooks, type Runner } from './mocha-types.ts'
import { startFrom } from './start-from.ts'

export type { StartFrom } from '../core/start-from.ts'
export { database, startFrom, type WorkerDatabase }

/** Milliseconds. Long, so that a failing reset can report its cause before mocha's timeout. */
const TIMEOUT_MS = 60_000

/** Set by mocha in the processes of `--parallel`, counted from 0. */
const { MOCHA_WORKER_ID } = process.env

let run: JoinedRun | undefined
let isParallel = false

/**
 * mocha waits for these hooks before it loads the test files.
 *
 * @throws AfreshError naming the problem with the configuration, the server or the migrations
 */
export async function mochaHooks(): Promise<RootHooks> {
  // The processes of `--parallel` find the run by the process that has forked them.
  const runner = MOCHA_WORKER_ID === undefined ? process.pid : process.ppid
  const program = new URL('../core/harness-process/main.js', import.meta.url)
  run = await joinRun({ runner, program })
  const slot = Number(MOCHA_WORKER_ID ?? 0) + 1
  await enter({ handle: run.handle, slot, keep: true, background: true })
  return { beforeEach: [reset], afterEach: [check] }
}

/** With `--parallel`, this process runs no tests: the first worker gets its database. */
export async function mochaGlobalSetup(this: Runner | undefined): Promise<void> {
  isParallel = this?.isParallelMode?.() === true
  if (isParallel) await releaseWorker()
}

/** Prints the summary of the run. The server ends with this process: its clients may be open still. */
export async function mochaGlobalTeardown(): Promise<void> {
  await releaseWorker()
  await run?.printSummary()
  if (isParallel) await run?.dismiss()
}

/** A root hook that throws ends the run, so errors are given to the test. */
async function reset(this: HookContext): Promise<void> {
  const { currentTest, test: hook } = this
  if (currentTest === undefined) return
  this.timeout(TIMEOUT_MS)
  try {
    await resetBefore(currentTest, () => {}, currentTest.parent)
  } catch (error) {
    hook.error(error)
    // Neither further hooks nor the test run on what others have left.
    this.skip()
  }
}

async function check(this: HookContext): Promise<void> {
  const { currentTest, test: hook } = this
  if (currentTest === undefined) return
  this.timeout(TIMEOUT_MS)
  try {
    await checkAfterTest(currentTest, nameOf(currentTest), { isFailed: currentTest.state === 'failed' })
  } catch (error) {
    hook.error(error)
  }
}
