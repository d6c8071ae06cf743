/**
 * A program that runs an application for end-to-end tests, and ends with it. In: an order in the environment. Out: the
 * application with the variables of its database, which is ended when the process that wanted it has gone, however.
 */
import { spawn } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { messageOf } from '../../../errors.ts'
import { clearInterval, setInterval } from '../../../util/clock.ts'
import { identityOf, isRunning } from '../../../util/process-identity.ts'
import { acquireDatabase } from '../acquire-database.ts'
import { joinRun } from '../harness-process/join-run.ts'
import { setVariables, targetVariables } from '../other-databases.ts'
import { type LaunchOrder, takeOrder } from './launch-order.ts'

const POLL_MS = 500

/** Makes the first database, so that the application finds it. The worker of the tests leases it later. */
async function useFirstDatabase(run: NonNullable<LaunchOrder['run']>, runner: number): Promise<void> {
  const program = pathToFileURL(run.program)
  const { handle } = await joinRun({ runner, program, folders: run.folders })
  const { url, release } = await acquireDatabase(handle, { slot: 1, exact: true })
  await release()
  setVariables(process.env, targetVariables({ url, handle }))
}

async function launch({ command, owner, run }: LaunchOrder): Promise<void> {
  const identity = identityOf(owner)
  if (run !== undefined) await useFirstDatabase(run, owner)
  const app = spawn(command, { shell: true, stdio: ['ignore', 'inherit', 'inherit'] })
  // The signal that ends the application goes to the whole group. This process ends after the application.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  const watch = setInterval(() => {
    if (identity !== undefined && isRunning(identity)) return
    if (process.platform === 'win32') app.kill()
    else process.kill(0, 'SIGKILL')
  }, POLL_MS)
  const code = await new Promise<number | null>((resolve, reject) => {
    app.once('error', reject)
    app.once('exit', resolve)
  }).finally(() => clearInterval(watch))
  process.exitCode = code ?? 1
}

try {
  await launch(takeOrder(process.env))
} catch (error) {
  process.stderr.write(`afresh: ${messageOf(error)}\n`)
  process.exitCode = 1
}
