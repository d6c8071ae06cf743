import { appendFile } from 'node:fs/promises'
import type { TestOptions } from '../../config/options.ts'
import type { OpenResource } from '../../engine/open-resources.ts'
import { AfreshError } from '../../errors.ts'
import type { HarnessHandle } from '../../harness/handle.ts'
import type { TestDatabase } from '../../harness/test-database.ts'
import type { TestReport } from '../../reset/rollback.ts'
import type { TableWrites } from '../../reset/writes.ts'
import { now, sleep } from '../../util/clock.ts'
import { turn } from '../../util/turn.ts'
import { isOpening, pauseSockets } from './connections.ts'
import { checkConnections } from './other-databases.ts'

/** What one test left, for people and for JSON. */
export interface TestEffects {
  /** The names of its suites and its own, with ` > ` between. */
  readonly test: string
  readonly file: string | undefined
  readonly writes: readonly TableWrites[]
  readonly openResources: readonly OpenResource[]
}

export type NamedTest = Pick<TestEffects, 'test' | 'file'>

/** What is about to end by itself (a pool that rolls back a connection that came back) may do so. */
const GRACE_MS = 50
const LOOK_MS = 10

/** What a test was told to have left, until it is gone. */
interface Reported {
  readonly test: string
  readonly database: string
  readonly openResources: readonly OpenResource[]
}

/** Global: a process may run several files, and have several copies of this module. */
const KEY = Symbol.for('afresh.reported')
const global = globalThis as { [KEY]?: { reported: Reported[]; last: string | undefined } }
global[KEY] ??= { reported: [], last: undefined }
const memory = global[KEY]

/**
 * Restores the tables that the test wrote, and finds what it left open beyond `known`, to which that is added.
 *
 * @returns `undefined` where neither `leaks` nor `writes` asks for it; its `openResources` fail the test
 */
async function effectsOf(
  test: NamedTest,
  database: TestDatabase,
  { leaks, writes }: TestOptions,
  known: Set<string>,
): Promise<TestEffects | undefined> {
  if (leaks === 'ignore' && writes === undefined) return undefined
  const openResources = leaks === 'ignore' ? [] : await openResourcesOf(database, known)
  // Report each leak only once.
  for (const { id } of openResources) known.add(id)
  if (openResources.length > 0 && leaks === 'end') await end(database, openResources)
  else if (openResources.length > 0)
    memory.reported.push({ test: test.test, database: database.name, openResources })
  if (writes === undefined) return { ...test, writes: [], openResources }
  const left = { ...test, writes: (await resetBeforeTest(database)).writes, openResources }
  // One short write at the end of a file: several workers may do so at once.
  if (writes.to !== undefined) await appendFile(writes.to, `${JSON.stringify(left)}\n`)
  return left
}

/** Ends sessions. An open transaction is a client's that nobody uses: it need not raise an error. */
async function end(database: TestDatabase, openResources: readonly OpenResource[]): Promise<void> {
  const idle = openResources
    .filter(({ kind }) => kind === 'open transaction')
    .flatMap(({ session }) => session ?? [])
  pauseSockets(database.name, idle)
  await database.endOpenResources(openResources)
}

/**
 * Ends what tests were told to have left, if it still is there: it would be in the way of all that follow.
 *
 * @returns the tests
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

/** Standard error: standard output may be the reporter's. What follows from it, lost connections, shows up elsewhere. */
function writeNote(note: string): void {
  const after = memory.last === undefined ? '' : ` after "${memory.last}"`
  process.stderr.write(`afresh${after}: ${note}\n`)
}

/**
 * A reset to which nothing that was reported is in the way.
 *
 * @throws AfreshError as `reset` does, naming the tests that have left something
 */
export async function resetBeforeTest(database: TestDatabase): Promise<TestReport> {
  const guilty = await endReportedSessions(database)
  try {
    const report = await database.reset()
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

/** A query on a cold pool is sent when its connection is there: it is this test's, not that of the next. */
async function untilOpened(): Promise<boolean> {
  if (!isOpening()) return false
  while (isOpening()) await sleep(1)
  return true
}

async function openResourcesOf(database: TestDatabase, known: ReadonlySet<string>): Promise<OpenResource[]> {
  // What the test has sent is on its way before we ask.
  await turn()
  const isNew = await untilOpened()
  const until = now() + GRACE_MS
  for (;;) {
    const openResources = (await database.openResources()).filter(({ id }) => !known.has(id))
    // What was sent a moment ago the server may not have begun with.
    if (now() > until || (openResources.length === 0 && !isNew)) return openResources
    await sleep(LOOK_MS)
  }
}

/**
 * Looks what a test has left, and fails it where that is to be.
 *
 * @param note told before it fails, where anybody wants to know
 * @param environment that the code under test reads
 * @throws AfreshError `leak` for a test that left something open, `usage` for one that has used another database
 */
export async function checkForLeaks(
  test: NamedTest,
  database: TestDatabase,
  handle: HarnessHandle,
  { known, note = () => {}, environment = () => process.env }: LeakCheck,
): Promise<void> {
  const { tests } = handle
  const left = await effectsOf(test, database, tests, known)
  // What went to another database is the worse news.
  checkConnections(test.test, { url: database.url, handle }, environment())
  const { last } = memory
  memory.last = test.test
  if (left === undefined) return
  note(left)
  if (left.openResources.length > 0) throw leakOf(left, tests.leaks, last)
}

interface LeakCheck {
  readonly known: Set<string>
  readonly note?: (left: TestEffects) => void
  readonly environment?: () => NodeJS.ProcessEnv
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
  return new AfreshError('leak', `"${test}" was over and still held:${lines.join('')}${perhaps}`, {
    next:
      leaks === 'end'
        ? 'Await every query and end every transaction in the test. Its sessions were ended.'
        : "Await every query and end every transaction in the test. Its sessions are ended before the next reset (leaks: 'end': at once; 'ignore' lets them be).",
  })
}
