/**
 * In: a worker of Playwright.
 * Out: a database for it, reset before each test; and the application under test, with that database.
 * Called by test files, in place of `test` of `@playwright/test`.
 */
import {
  test as base,
  type PlaywrightTestArgs,
  type PlaywrightTestConfig,
  type PlaywrightTestOptions,
  type PlaywrightWorkerArgs,
  type PlaywrightWorkerOptions,
  type TestInfo,
  type TestType,
} from '@playwright/test'
import { AfreshError } from '../../errors.ts'
import { type AppServer, type RunningApp, SETTLE_MS, startApp } from '../core/app/app-server.ts'
import { joinRun } from '../core/harness-process/join-run.ts'
import type { NamedTest } from '../core/leak-check.ts'
import { targetVariables } from '../core/other-databases.ts'
import type { RunHandle } from '../core/run-handle.ts'
import { checkAfterTest, database, enter, releaseWorker, resetBefore } from '../core/worker.ts'
import type { WorkerDatabase } from '../core/worker-database.ts'
import { foldersOf, isAppShared, wrapWebServer } from './web-server.ts'

export { expect } from '@playwright/test'
export type { AppServer, WorkerDatabase }

/** One entry of Playwright's `webServer`. */
export type WebServerOptions = Extract<NonNullable<PlaywrightTestConfig['webServer']>, { command: string }>

/** For `use` in the configuration: `defineConfig<DatabaseOptions>({ … })`. */
export interface DatabaseOptions {
  /** Starts an application for each worker, with the database of the worker. Sets `baseURL`. Default: none. */
  readonly appServer: AppServer | undefined
}

/** The fixtures of `test` from `afresh/playwright`. */
export interface DatabaseFixtures {
  /** The worker's database. It is reset before each test, whether the test names it or not. */
  readonly database: WorkerDatabase
}

interface WorkerFixtures extends DatabaseOptions {
  readonly leased: RunHandle
  readonly app: RunningApp | undefined
}

/** Beside this file in the package, whatever the bundler has made of what it imports. */
const HARNESS = new URL('../core/harness-process/main.js', import.meta.url)
const LAUNCHER = new URL('../core/app/launcher.js', import.meta.url)

/** Milliseconds. A server may have to be pulled, started and migrated. */
const START_MS = 600_000
/** Milliseconds. Long, so that a failing reset can report its cause before Playwright's timeout. */
const RESET_MS = 60_000

const fixtures = base.extend<DatabaseFixtures, WorkerFixtures>({
  appServer: [undefined, { option: true, scope: 'worker' }],
  leased: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads what a fixture depends on from the pattern
    async ({}, use, { config, parallelIndex }) => {
      const isShared = isAppShared()
      if (isShared && config.workers > 1) throw sharedByWorkers(config.workers)
      const run = { runner: process.ppid, program: HARNESS, folders: foldersOf(config) }
      const { handle } = await joinRun(run)
      // After a failed test, Playwright starts another process for the worker.
      await enter({ handle, slot: parallelIndex + 1, exact: isShared, keep: true, background: true })
      await use(handle)
      await releaseWorker()
    },
    { scope: 'worker', timeout: START_MS },
  ],
  app: [
    async ({ leased, appServer }, use) => {
      if (appServer === undefined) return use(undefined)
      const app = await startApp(appServer, targetVariables({ url: database.url, handle: leased }), LAUNCHER)
      await use(app)
      await app.stop()
    },
    { scope: 'worker', timeout: START_MS },
  ],
  baseURL: async ({ app, baseURL }, use) => use(app?.url ?? baseURL),
  database: [
    async ({ leased: _, app }, use, info) => {
      await resetBefore(info, () => {})
      app?.check()
      await use(database)
      app?.check()
      const isFailed = info.status !== info.expectedStatus
      await checkAfterTest(info, nameOf(info), { isFailed, settleMs: SETTLE_MS })
    },
    { auto: true, timeout: RESET_MS },
  ],
})

/**
 * Playwright's `test`, with a database. The database is reset before each test and before its `beforeEach` hooks; what a
 * `beforeAll` hook writes is gone then. A test fails if the application, or the test, leaves a transaction open.
 */
export const test: TestType<
  PlaywrightTestArgs & PlaywrightTestOptions & DatabaseFixtures,
  PlaywrightWorkerArgs & PlaywrightWorkerOptions & DatabaseOptions
> = fixtures

/**
 * For `webServer` in the configuration, with `workers: 1`: one application for the whole run, which is started with the
 * variables of the test's database. `reuseExistingServer` becomes `false`: an application that runs already has some
 * other database.
 *
 * @param options those of Playwright
 */
export function webServer(options: WebServerOptions): WebServerOptions {
  return wrapWebServer(options, { launcher: LAUNCHER, harness: HARNESS })
}

function nameOf({ titlePath, file }: TestInfo): NamedTest {
  return { test: titlePath.slice(1).join(' > '), file }
}

function sharedByWorkers(workers: number): AfreshError {
  return new AfreshError(
    'usage',
    `${workers} workers share one application (webServer), and so one database: a reset for a test of one would wipe the rows of another.`,
    {
      next: "Set workers: 1; or start an application for each worker: use: { appServer: { command: '…' } } instead of webServer.",
    },
  )
}
