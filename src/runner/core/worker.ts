/**
 * In: the handle of a run and a slot.
 * Out: the worker's database: leased, reset before each test, checked after it.
 * Called by the setup files of the runners.
 */
import { AfreshError } from '../../errors.ts'
import type { TestDatabase } from '../../harness/test-database.ts'
import { acquireDatabase } from './acquire-database.ts'
import { watchConnections } from './connections.ts'
import { keepFailed } from './keep-failed.ts'
import {
  checkForLeaks,
  endReportedSessions,
  type NamedTest,
  resetBeforeTest,
  type TestOutcome,
} from './leak-check.ts'
import { checkVariables, configuredIn, setVariables, targetVariables } from './other-databases.ts'
import { withPlainErrors } from './plain-errors.ts'
import type { RunHandle } from './run-handle.ts'
import { type WorkerDatabase, workerDatabase } from './worker-database.ts'

/** What a runner provides for a worker that needs a database. */
export interface WorkerHost {
  readonly handle: RunHandle
  /** The preferred slot, counted from 1. The lease on the server decides. */
  readonly slot: number
  /**
   * Whether later test files run in this process with the same modules. Their clients were opened with the
   * URL of this database, so it stays leased until the process ends.
   */
  readonly keep: boolean
  /** Whether the process exits by itself after its tests, so that the lease must not keep it alive. */
  readonly background?: boolean
  /** Whether no other slot will do: the code under test has its URL already. */
  readonly exact?: boolean
  /** The variables of the code under test, if they are not those of this process. */
  readonly environment?: NodeJS.ProcessEnv
}

interface Worker {
  lease: { readonly run: string; readonly database: Promise<TestDatabase> } | undefined
  database: TestDatabase | undefined
  users: number
  /** The test that the database was reset for, until it is over. */
  test: object | undefined
  /** Whether the test is over and was checked. */
  isOver: boolean
  /** Number of tests that currently run concurrently. */
  concurrent: number
  /** The suite of the last test. */
  suite: object | undefined
  /** Resources that were open before the test: hooks may open some for all tests of a suite. */
  known: Set<string>
  handle: RunHandle | undefined
  /** That of the code under test. */
  environment: NodeJS.ProcessEnv
  /** Whether the variables were checked, which happens once per file. */
  isChecked: boolean
  /** The snapshots from which tests start, of the enclosing suites; the innermost is last. */
  starts: string[]
}

/**
 * One per worker. Global, because a process may load several copies of this module: in the bundles of several
 * entries, or again for every test file.
 */
const KEY = Symbol.for('afresh.worker')
const global = globalThis as { [KEY]?: Worker }
global[KEY] ??= {
  lease: undefined,
  database: undefined,
  users: 0,
  test: undefined,
  isOver: false,
  concurrent: 0,
  suite: undefined,
  known: new Set(),
  handle: undefined,
  environment: process.env,
  isChecked: false,
  starts: [],
}
const worker = global[KEY]

/**
 * Leases a database for this worker, or joins its lease, and points `DATABASE_URL` and similar variables to
 * it. Every `enter` needs a `leave`.
 */
export async function enter(host: WorkerHost): Promise<void> {
  const { handle, slot, exact = false, background = false, environment = process.env } = host
  // In watch mode, a run may have another harness than the previous one.
  if (worker.lease !== undefined && worker.lease.run !== handle.run) await releaseWorker()
  worker.lease ??= { run: handle.run, database: acquireDatabase(handle, { slot, exact, unref: background }) }
  const { database } = worker.lease
  try {
    worker.database = await withPlainErrors(() => database)
  } catch (error) {
    worker.lease = undefined
    throw error
  }
  worker.users++
  worker.handle = handle
  worker.environment = environment
  worker.isChecked = false
  watchConnections()
  setVariables(environment, targetVariables({ url: worker.database.url, handle }))
}

/** Gives the database back, at its baseline, once nothing in this worker uses it. */
export async function leave({ keep }: WorkerHost): Promise<void> {
  worker.users = Math.max(0, worker.users - 1)
  if (worker.users === 0) worker.starts = []
  if (worker.users === 0 && !keep) await releaseWorker()
}

/** Gives the database back, whatever uses it. */
export async function releaseWorker(): Promise<void> {
  const { database } = worker
  worker.lease = undefined
  worker.database = undefined
  worker.users = 0
  if (database !== undefined) await endReportedSessions(database).catch(() => {})
  await database?.release()
}

/** Resets the database outside of a test: a worker that kept it goes on with another test file. */
export async function resetForFile(): Promise<void> {
  await resetBeforeTest(current())
}

/**
 * Resets the database before a test, unless it was already reset for that test: an inner hook, a runner that
 * sets up twice, or a fixture must not delete what earlier hooks prepared.
 *
 * @param over registers a callback for the end of the test, or of an attempt
 * @param suite of the test: its `beforeAll` hooks run before the first test
 */
export async function resetBefore(
  test: object,
  over: (then: () => void) => void,
  suite?: object,
): Promise<void> {
  if (worker.test === test) return
  const database = current()
  await withPlainErrors(async () => {
    checkOnce(database)
    await resetBeforeTest(database, worker.starts.at(-1))
  })
  // Between two tests of a suite, no hook opens resources.
  const isKnown = suite !== undefined && suite === worker.suite
  if (!isKnown && worker.handle?.tests.leaks !== 'ignore') {
    worker.known = new Set((await database.openResources()).map(({ id }) => id))
  }
  worker.suite = suite
  worker.test = test
  worker.isOver = false
  over(() => {
    worker.test = undefined
  })
}

/**
 * Checks what a test left as soon as it is over, if the database was reset for it.
 *
 * @throws AfreshError `leak` if the test left something open, such as a transaction; the test must fail
 */
export async function checkAfterTest(
  test: object,
  name: NamedTest,
  { isFailed, settleMs, note }: TestOutcome,
): Promise<void> {
  const { handle, known, environment, starts } = worker
  const start = starts.at(-1)
  if (worker.test !== test || worker.isOver || handle === undefined) return
  worker.isOver = true
  if (isFailed) await keepFailed(name, current(), handle)
  await withPlainErrors(() =>
    checkForLeaks(name, current(), handle, { known, start, settleMs, note, environment }),
  )
}

/**
 * Makes the tests of a suite start from what `prepare` writes, until `endStart`.
 *
 * @throws AfreshError `usage` if an enclosing suite has a snapshot of this name, and as `snapshot` does
 */
export async function beginStart(name: string, prepare: () => unknown): Promise<void> {
  const database = shared()
  const { starts } = worker
  if (starts.includes(name)) {
    throw new AfreshError('usage', `startFrom: an enclosing suite starts from ${JSON.stringify(name)} too.`, {
      next: 'Give one of them another name.',
    })
  }
  await withPlainErrors(async () => {
    await resetBeforeTest(current(), starts.at(-1))
    await prepare()
    await database.snapshot(name)
  })
  starts.push(name)
}

/** The tests that follow start as those of the enclosing suite do. Does nothing after a failed `beginStart`. */
export async function endStart(name: string): Promise<void> {
  if (worker.starts.at(-1) !== name) return
  worker.starts.pop()
  await worker.database?.dropSnapshot(name)
}

/** @throws AfreshError `usage` for each test of a file that changed the variables while it was loaded */
function checkOnce({ url }: TestDatabase): void {
  const { handle } = worker
  if (handle === undefined || worker.isChecked) return
  checkVariables({ url, handle }, configuredIn(worker.environment, handle))
  worker.isChecked = true
}

/** While concurrent tests run, the shared database must not be used. */
export async function withConcurrencyCount<T>(work: () => Promise<T>): Promise<T> {
  worker.concurrent++
  try {
    return await work()
  } finally {
    worker.concurrent--
  }
}

function current(): TestDatabase {
  if (worker.database !== undefined) return worker.database
  throw new AfreshError('usage', 'This worker has no database yet.', {
    next: "vitest: add setupFiles: ['afresh/vitest/reset'] to the configuration, or take `database` from the test's fixtures. jest: add setupFilesAfterEnv: ['afresh/jest/reset']. node:test: only a test file's own process has one.",
  })
}

/** For tests: `current`, unless concurrent tests share the database. */
function shared(): TestDatabase {
  if (worker.concurrent === 0) return current()
  throw new AfreshError('usage', 'Tests run concurrently, and this is the database that they all share.', {
    next: 'Take `database` from the fixtures of the test: where others run beside it, it is one of its own.',
  })
}

/** The worker's database. Throws `AfreshError` (`usage`) before the lease, and during concurrent tests. */
export const database: WorkerDatabase = workerDatabase(shared)
