/**
 * Runs in the worker's own realm. The realm of a test file has modules, timers and mocks of its own: there,
 * fake timers would block the connection, a mock of `net` would affect afresh, and every file would load the
 * modules again.
 */
import { watchConnections } from '../core/connections.ts'
import type { NamedTest } from '../core/leak-check.ts'
import { setVariables, targetVariables } from '../core/other-databases.ts'
import { withOwnDatabase } from '../core/own-database.ts'
import * as core from '../core/worker.ts'
import type { WorkerDatabase } from '../core/worker-database.ts'
import { hostOf } from './provided.ts'

export const { database, beginStart, endStart } = core

/** Of the previous test file: no hook reliably reports its end. */
let entered: core.WorkerHost | undefined

/**
 * Leases the database of the worker for a test file, or keeps that of the file before. The URL is set at once:
 * jest 29 does not wait for the lease before it loads the code under test.
 *
 * @param environment of the realm of the test file
 * @throws AfreshError `usage` if the global setup is missing
 */
export function enter(testPath: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const { handle, slot, url } = hostOf(testPath)
  setVariables(environment, targetVariables({ url, handle }))
  watchConnections()
  const previous = entered
  const host = { handle, slot, environment, exact: true, keep: true, background: true }
  entered = host
  return (async () => {
    if (previous !== undefined) await core.leave(previous)
    await core.enter(host)
    await core.resetForFile()
  })()
}

/** The attempt of a test that runs. jest has no object for it. */
let attempt: object = {}

/** @throws AfreshError `usage` if the loaded code changed the variables that point to the database */
export function before(): Promise<void> {
  attempt = {}
  return core.resetBefore(attempt, () => {})
}

/** @throws AfreshError `leak` if the test left something open */
export function after(test: NamedTest, isFailed: boolean): Promise<void> {
  return core.checkAfterTest(attempt, test, { isFailed })
}

/** Leases another database while `use` runs. */
export function withLease(
  test: NamedTest & { readonly file: string },
  use: (own: WorkerDatabase) => Promise<void>,
): Promise<void> {
  const { handle, spare } = hostOf(test.file)
  return withOwnDatabase({ handle, slot: spare, unref: true }, { name: () => test }, use)
}
