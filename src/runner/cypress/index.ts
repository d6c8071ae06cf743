/**
 * In: the events and the configuration that Cypress gives to `setupNodeEvents`.
 * Out: tasks that reset the database of the application under test, and the application itself.
 * Called by `cypress.config.*`.
 */
import { AfreshError } from '../../errors.ts'
import { type AppServer, SETTLE_MS, startApp } from '../core/app/app-server.ts'
import { joinRun } from '../core/harness-process/join-run.ts'
import { targetVariables } from '../core/other-databases.ts'
import { checkAfterTest, database, enter, resetBefore } from '../core/worker.ts'

export type { AppServer }

/** The tasks, for `cy.task`. Cypress refuses `undefined` as their result. */
export interface DatabaseTasks {
  /** Resets the database. Before each test. */
  readonly 'afresh:reset': () => Promise<null>
  /** Fails if the application still holds something open. After each test. */
  readonly 'afresh:check': (test: { readonly title: string; readonly isFailed?: boolean }) => Promise<null>
  /** Loads a set of fixtures of the configuration (`fixtureSets`). */
  readonly 'afresh:load': (set: string) => Promise<null>
  /** Keeps the current state under a name, until it is dropped with the database. */
  readonly 'afresh:snapshot': (name: string) => Promise<null>
  /** Returns to a state that was kept. */
  readonly 'afresh:restore': (name: string) => Promise<null>
}

/** The part of Cypress' `on` that afresh uses: https://docs.cypress.io/api/node-events/overview */
export type RegisterTasks = (event: 'task', tasks: Tasks) => void

/** What Cypress calls with the argument of `cy.task`. */
export type Tasks = Record<string, (argument: unknown) => unknown>

/** The part of Cypress' resolved configuration that afresh uses. */
export interface CypressConfig {
  readonly projectRoot: string
  /** Set to the URL of the application, if afresh starts it. */
  baseUrl?: string | null
}

/** Beside this file in the package, whatever the bundler has made of what it imports. */
const HARNESS = new URL('../core/harness-process/main.js', import.meta.url)
const LAUNCHER = new URL('../core/app/launcher.js', import.meta.url)

/**
 * Starts the server of `afresh.config.*` in the folder of the project, leases a database, sets its variables in this
 * process, and registers the tasks of `DatabaseTasks`. All of it ends with Cypress.
 *
 * @param on that of `setupNodeEvents`
 * @param config that of `setupNodeEvents`
 * @param options `appServer`: the application, started with the variables of the database
 * @returns the configuration, for `setupNodeEvents` to return
 * @throws AfreshError naming the problem with the configuration, the server, the migrations or the application
 */
export async function setupDatabase<Config extends CypressConfig>(
  on: RegisterTasks,
  config: Config,
  { appServer }: { readonly appServer?: AppServer } = {},
): Promise<Config> {
  const folders = [...new Set([config.projectRoot, process.cwd()])]
  const { handle } = await joinRun({ runner: process.pid, program: HARNESS, folders })
  await enter({ handle, slot: 1, keep: true, background: true })
  if (appServer !== undefined) {
    const given = { cwd: config.projectRoot, ...appServer }
    const app = await startApp(given, targetVariables({ url: database.url, handle }), LAUNCHER)
    config.baseUrl = app.url
    on('task', { ...tasks(() => app.check()) } as Tasks)
  } else on('task', { ...tasks(() => {}) } as Tasks)
  return config
}

/** @param check throws if the application has ended */
function tasks(check: () => void): DatabaseTasks {
  let test: object | undefined
  const nothing = async (work: Promise<unknown>) => {
    await work
    return null
  }
  return {
    'afresh:reset': async () => {
      test = {}
      await resetBefore(test, () => {})
      check()
      return null
    },
    'afresh:check': async ({ title, isFailed = false }) => {
      if (test === undefined) throw notReset()
      check()
      await checkAfterTest(test, { test: title, file: undefined }, { isFailed, settleMs: SETTLE_MS })
      return null
    },
    'afresh:load': (set) => nothing(database.load(set)),
    'afresh:snapshot': (name) => nothing(database.snapshot(name)),
    'afresh:restore': (name) => nothing(database.restore(name)),
  }
}

function notReset(): AfreshError {
  return new AfreshError('usage', 'afresh:check without afresh:reset: there is nothing to compare with.', {
    next: "Reset before each test, in the support file: beforeEach(() => { cy.task('afresh:reset') }).",
  })
}
