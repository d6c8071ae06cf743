/**
 * For `--test-global-setup` (Node 24), in addition to `--import afresh/node-test`: the server starts before
 * the first test file, a problem with it is reported once, and the run ends after the server has stopped.
 */
import { INSIDE, type JoinedRun, joinRun } from '../core/harness-process/join-run.ts'

let met: JoinedRun | undefined

/** @throws AfreshError naming the problem with the configuration, the server or the migrations */
export async function globalSetup(): Promise<void> {
  const program = new URL('../core/harness-process/main.js', import.meta.url)
  met = await joinRun({ runner: process.pid, program })
}

export async function globalTeardown(): Promise<void> {
  // Not with --test-isolation=none: clients of the code under test live in this process.
  if (process.env[INSIDE] !== undefined || met === undefined) return
  await met.printSummary()
  await met.dismiss()
}
