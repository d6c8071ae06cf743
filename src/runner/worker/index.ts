/**
 * In: a process or thread that runs tests, whatever the runner.
 * Out: a database of its own. `DATABASE_URL` points to it once this module is loaded; tests reset it.
 * Called by test files, for runners that have no entry of their own.
 */
import { joinRun } from '../core/harness-process/join-run.ts'
import { database, enter, releaseWorker } from '../core/worker.ts'
import type { WorkerDatabase } from '../core/worker-database.ts'
import { runnerOfWorker } from './runner-of-worker.ts'

export { database, type WorkerDatabase }

const { handle } = await joinRun({
  runner: runnerOfWorker(),
  program: new URL('../core/harness-process/main.js', import.meta.url),
})
await enter({ handle, slot: 1, keep: true, background: true })
// The next file of the run gets it after one reset. A process that is ended gives it back too, but not as quickly.
process.once('beforeExit', () => void releaseWorker())
