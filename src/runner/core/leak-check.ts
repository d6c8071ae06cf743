import { appendFile } from 'node:fs/promises'
import type { TestOptions } from '../../config/options.ts'
import type { OpenResource } from '../../engine/open-resources.ts'
import { AfreshError } from '../../errors.ts'
import type { TestDatabase } from '../../harness/test-database.ts'
import type { TestReport } from '../../reset/rollback.ts'
import type { TableWrites } from '../../reset/writes.ts'
import { now, sleep } from '../../util/clock.ts'
import { turn } from '../../util/turn.ts'
import { isOpening, socketsOf } from './connections.ts'
import { endSessions } from './ended-sessions.ts'
import { checkConnections } from './other-databases.ts'
import type { RunHandle } from './run-handle.ts'

/** What one test wrote and left open. */
export interface TestEffects {
  /** The names of its suites and of the test, joined by ` > `. */
  readonly test: string
  readonly file: string | undefined
  readonly writes: readonly TableWrites[]
  readonly openResources: readonly OpenResource[]
}

/** How a test has ended. */
export interface TestOutcome {
  /** Whether it has failed already. */
  readonly isFailed: boolean
  /** Milliseconds in which an application in another process may close what it has open. */
  readonly settleMs?: number | undefined
  /** Called before an error is thrown. */
  readonly note?: ((left: TestEffects) => void) | undefined
}

export type NamedTest = Pick<TestEffects, 'test' | 'file'>

/** Milliseconds to wait for resources that close by themselves (a pool rolls back a returned connection). */
const GRACE_MS = 50
const POLL_MS = 10

/** What a test was reported for, until it is gone. */
interface Reported {
  readonly test: string
  readonly database: string
  readonly openResources: readonly OpenResource[]
}

/** Global, because a process may run several files and load several copies of this module. */
const KEY = Symbol.for('afresh.reported')
const global = globalThis as { [KEY]?: { reported: Reported[]; last: string | undefined } }
global[KEY] ??= { reported: [], last: undefined }
const memory = global[KEY]

/**
 * Resets the database if writes are reported, and finds what the test left open beyond `known`. Adds that to
 * `known`.
 *
 * @returns `undefined` if neither `leaks` nor `writes` requires a check; its `openResources` fail the test
 */
async function effectsOf(
  test: NamedTest,
  database: TestDatabase,
  { leaks, writes }: TestOptions,
  { known, start, settleMs }: Pick<LeakCheck, 'known' | 'start' | 'settleMs'>,
): Promise<TestEffects | undefined> {
  if (leaks === 'ignore' && writes === undefined) return undefined
  const find = settleMs === undefined ? openResourcesOf : stillOpenAfter(settleMs)
  const openResources = leaks === 'ignore' ? [] : await find(database, known)
  // Report each leak only once.
  for (const { id } of openResources) known.add(id)
  if (openResources.length > 0 && leaks === 'end') await end(database, openResources)
  else if (openResources.length > 0)
    memory.reported.push({ test: test.test, database: database.name, openResources })
  if (writes === undefined) return { ...test, writes: [], openResources }
  const left = { ...test, writes: (await resetBeforeTest(database, start)).writes, openResources }
  // One short append: several workers may write to the file at the same time.
  if (writes.to !== undefined) await appendFile(writes.to, `${JSON.stringify(left)}\n`)
  return left
}

/** Ends the sessions that hold these resources. */
async function end(database: TestDatabase, openResources: readonly OpenResource[]): Promise<void> {
  const ids = new Set(openResources.flatMap(({ session }) => session ?? []))
  await endSessions(socketsOf(database.name, [...ids]), () => database.endOpenResources(openResources))
}

/**
 * Ends the reported resources that are still open, because they would block every later reset.
 *
 * @returns the tests that were reported
 */
export async function endReportedSessions(database: TestDatabase): Promise<string[]> {
  const mine = memory.reported.filter(({ database: name }) => name === database.name)
  if (mine.length === 0) return []
  memory.reported = memory.reported.filter((reported) => !mine.includes(reported))
  const ids = new Set(mine.flatMap(({ openResources }) => openResources.map(({ id }) => id)))
  const still = (await database.openResources()).filter(({ id }) => ids.has(id))
  if (still.length > 0) await end(database, still)
  return mine.map(({ test }) => test)
}

/** To standard error: standard output may belong to the reporter. Lost connections surface elsewhere. */
function writeNote(note: string): void {
  const after = memory.last === undefined ? '' : ` after "${memory.last}"`
  process.stderr.write(`afresh${after}: ${note}\n`)
}

/**
 * A reset that ends reported resources first.
 *
 * @param start the snapshot to which the database returns, instead of its baseline
 * @throws AfreshError as `reset` does, naming the tests that left something open
 */
export async function resetBeforeTest(database: TestDatabase, start?: string): Promise<TestReport> {
  const guilty = await endReportedSessions(database)
  try {
    const report = await (start === undefined ? database.reset() : database.restore(start))
    if (report.recreated) for (const note of report.notes) writeNote(note)
    return report
  } catch (error) {
    if (guilty.length === 0 || !(error instanceof AfreshError)) throw error
    const [what = ''] = error.message.split('\n  → ')
    throw new AfreshError(
      error.code,
      `${what}\n  left open by: ${guilty.map((test) => `"${test}"`).join(', ')}`,
      {
        cause: error,
        ...(error.next === undefined ? {} : { next: error.next }),
      },
    )
  }
}

/** On a cold pool, a query is sent only after its connection has opened. It belongs to this test. */
async function untilOpened(): Promise<boolean> {
  if (!isOpening()) return false
  while (isOpening()) await sleep(1)
  return true
}

async function openResourcesOf(database: TestDatabase, known: ReadonlySet<string>): Promise<OpenResource[]> {
  // Let the test's pending writes reach the socket first.
  await turn()
  const isNew = await untilOpened()
  const until = now() + GRACE_MS
  for (;;) {
    const openResources = (await database.openResources()).filter(({ id }) => !known.has(id))
    // The server may not have started on a statement that was sent just before.
    if (now() > until || (openResources.length === 0 && !isNew)) return openResources
    await sleep(POLL_MS)
  }
}

/**
 * For an application in another process, which may still be doing what the test has begun, and does other things beside:
 * what it has open now must be closed in time; what it opens later is not of the test.
 */
function stillOpenAfter(settleMs: number): typeof openResourcesOf {
  return async (database, known) => {
    const open = async () => (await database.openResources()).filter(({ id }) => !known.has(id))
    const until = now() + settleMs
    let found = await open()
    while (found.length > 0 && now() < until) {
      await sleep(POLL_MS)
      const still = new Set((await open()).map(({ id }) => id))
      found = found.filter(({ id }) => still.has(id))
    }
    return found
  }
}

/**
 * Checks what a test left, and throws if the test must fail.
 *
 * @param note called before the error is thrown
 * @param environment of the code under test
 * @throws AfreshError `leak` if the test left something open, `usage` if it used another database
 */
export async function checkForLeaks(
  test: NamedTest,
  database: TestDatabase,
  handle: RunHandle,
  { known, start, settleMs, note = () => {}, environment = process.env }: LeakCheck,
): Promise<void> {
  const { tests } = handle
  const left = await effectsOf(test, database, tests, { known, start, settleMs })
  // Checked first: a write to another database is the more serious problem.
  checkConnections(test.test, { url: database.url, handle }, environment)
  const { last } = memory
  memory.last = test.test
  if (left === undefined) return
  note(left)
  if (left.openResources.length > 0) throw leakOf(left, tests.leaks, last)
}

interface LeakCheck extends Omit<TestOutcome, 'isFailed'> {
  readonly known: Set<string>
  /** The snapshot from which the test started; default: the baseline. */
  readonly start?: string | undefined
  readonly environment?: NodeJS.ProcessEnv
}

function leakOf(
  { test, openResources }: TestEffects,
  leaks: TestOptions['leaks'],
  before: string | undefined,
): AfreshError {
  const lines = openResources.map(({ kind, text }) => `\n    ${kind}: ${text}`)
  const late =
    openResources.some(({ kind }) => kind === 'running statement') && before !== undefined && before !== test
  const perhaps = late
    ? `\n  It may have been sent by "${before}", the test before, which did not wait for it.`
    : ''
  return new AfreshError('leak', `"${test}" ended and still held:${lines.join('')}${perhaps}`, {
    next:
      leaks === 'end'
        ? 'Await every query and end every transaction in the test. Its sessions were ended.'
        : "Await every query and end every transaction in the test. Its sessions are ended before the next reset (leaks: 'end': at once; 'ignore' lets them be).",
  })
}
