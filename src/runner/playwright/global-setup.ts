/**
 * In: the run of Playwright.
 * Out: a server that is there before the first test, a problem with it that is reported once, and a summary.
 * Called by Playwright: `globalSetup: 'afresh/playwright/global-setup'`. Without it, the first worker starts the server.
 */
import { joinRun } from '../core/harness-process/join-run.ts'
import { foldersOf } from './web-server.ts'

/** @throws AfreshError naming the problem with the configuration, the server or the migrations */
export default async function setup(config: { readonly configFile?: string }): Promise<() => Promise<void>> {
  const program = new URL('../core/harness-process/main.js', import.meta.url)
  const run = await joinRun({ runner: process.pid, program, folders: foldersOf(config) })
  return () => run.printSummary()
}
