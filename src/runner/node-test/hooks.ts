import { AfreshError } from '../../errors.ts'
import { lookAfter, resetBefore, whileConcurrent } from '../worker.ts'
import type { NodeTest } from './access.ts'

/** A test that is under way. */
interface Running {
  readonly test: NodeTest
  /** Tests that are no part of each other have run at the same time. */
  isConcurrent: boolean
  /** Called when it is over. */
  over: () => void
}

/** Those that are no part of another one; several of them where they run concurrently. */
const running = new Map<NodeTest, Running>()

const KEY = Symbol.for('afresh.node-test.own')
const global = globalThis as { [KEY]?: WeakSet<object> }
global[KEY] ??= new WeakSet()
const owners = global[KEY]

/** The test has a database of its own. */
export function ownDatabase(test: NodeTest): void {
  owners.add(test)
}

/** node runs it before each test and before each part of one (`t.test`), which is not to wipe what that has prepared. */
export async function beforeEachTest(test: NodeTest): Promise<void> {
  if ([...running.values()].some((one) => isPartOf(test, one.test))) return
  const own: Running = { test, isConcurrent: running.size > 0, over: () => {} }
  running.set(test, own)
  if (!own.isConcurrent) {
    await resetBefore(test, (over) => {
      own.over = over
    })
    return
  }
  for (const other of running.values()) other.isConcurrent = true
  // What is done with the shared database from now on is anybody's.
  void whileConcurrent(
    () =>
      new Promise<void>((resolve) => {
        own.over = resolve
      }),
  )
}

/**
 * @throws AfreshError `leak` where the test has left something open; `usage` where others ran beside it, and it has no
 * database of its own: one of them may have wiped the rows of another
 */
export async function afterEachTest(test: NodeTest): Promise<void> {
  const own = running.get(test)
  if (own === undefined) return
  running.delete(test)
  try {
    if (own.isConcurrent && !owners.has(test)) throw concurrentTest(test)
    const name = { test: test.fullName ?? test.name, file: process.argv[1] }
    if (!own.isConcurrent) await lookAfter(test, name, () => {})
  } finally {
    own.over()
  }
}

function isPartOf(test: NodeTest, whole: NodeTest): boolean {
  return test !== whole && test.fullName?.startsWith(`${whole.fullName} > `) === true
}

function concurrentTest({ name }: NodeTest): AfreshError {
  return new AfreshError(
    'usage',
    `"${name}" ran concurrently with other tests of its file, which share its database.`,
    {
      next: "Leave `concurrency` out, or give it a database of its own: withDatabase of 'afresh/node-test'.",
    },
  )
}
