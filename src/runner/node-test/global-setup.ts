/**
 * For `--test-global-setup` (Node 24), beside `--import afresh/node-test`: the server is there before the first test
 * file, a problem with it is told once, and the run ends when nothing of it is left.
 */
import { INSIDE, type JoinedRun, joinRun } from './join-run.ts'

let met: JoinedRun | undefined

/** @throws AfreshError naming what is wrong with the configuration, the server or the migrations */
export async function globalSetup(): Promise<void> {
  met = await joinRun(process.pid, new URL('./harness-process.js', import.meta.url))
}

export async function globalTeardown(): Promise<void> {
  // Not under clients of the code under test, which with --test-isolation=none lives here.
  if (process.env[INSIDE] === undefined) await met?.dismiss()
}
