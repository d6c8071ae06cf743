import { appendFile } from 'node:fs/promises'
import { setImmediate as sent, setTimeout as sleep } from 'node:timers/promises'
import type { TestOptions } from '../config.ts'
import type { Hold } from '../engine/engine.ts'
import { AfreshError } from '../errors.ts'
import type { TestDatabase } from '../harness/test-database.ts'
import type { Written } from '../reset/written.ts'

/** What one test left, for people and for JSON. */
export interface Left {
  /** The names of its suites and its own, with ` > ` between. */
  readonly test: string
  readonly file: string | undefined
  readonly written: readonly Written[]
  readonly holds: readonly Hold[]
}

export type NamedTest = Pick<Left, 'test' | 'file'>

/** What is about to end by itself (a pool that rolls back a connection that came back) may do so. */
const GRACE_MS = 50
const LOOK_MS = 10

/**
 * The tables that the test wrote, put right, and what it still holds beyond what is `known`, to which that is added.
 *
 * @returns `undefined` where nobody wants to know; `holds` are those that are to fail the test
 */
async function leftBy(
  test: NamedTest,
  database: TestDatabase,
  { leaks, writes }: TestOptions,
  known: Set<string>,
): Promise<Left | undefined> {
  if (leaks === 'ignore' && writes === undefined) return undefined
  const holds = leaks === 'ignore' ? [] : await heldOn(database, known)
  // Whoever is told of it is told once.
  for (const { id } of holds) known.add(id)
  if (holds.length > 0 && leaks === 'end') await database.endHolds(holds)
  if (writes === undefined) return { ...test, written: [], holds }
  const { written } = await database.reset()
  const left = { ...test, written, holds }
  // One short write at the end of a file: several workers may do so at once.
  if (writes.to !== undefined) await appendFile(writes.to, `${JSON.stringify(left)}\n`)
  return left
}

async function heldOn(database: TestDatabase, known: ReadonlySet<string>): Promise<Hold[]> {
  const until = performance.now() + GRACE_MS
  // What the test has sent is on its way before we ask.
  await sent()
  for (;;) {
    const holds = (await database.holds()).filter(({ id }) => !known.has(id))
    if (holds.length === 0 || performance.now() > until) return holds
    await sleep(LOOK_MS)
  }
}

/**
 * Looks what a test has left, and fails it where that is to be.
 *
 * @param note told before it fails, where anybody wants to know
 * @throws AfreshError `leak` for a test that holds something
 */
export async function lookAfter(
  test: NamedTest,
  database: TestDatabase,
  tests: TestOptions,
  { known, note = () => {} }: { readonly known: Set<string>; readonly note?: (left: Left) => void },
): Promise<void> {
  const left = await leftBy(test, database, tests, known)
  if (left === undefined) return
  note(left)
  if (left.holds.length > 0) throw leakOf(left, tests.leaks)
}

function leakOf({ test, holds }: Left, leaks: TestOptions['leaks']): AfreshError {
  const lines = holds.map(({ kind, text }) => `\n    ${kind}: ${text}`)
  return new AfreshError('leak', `"${test}" was over and still held:${lines.join('')}`, {
    next:
      leaks === 'end'
        ? 'Await every query and end every transaction in the test. Its sessions were ended.'
        : "Await every query and end every transaction in the test; or set leaks: 'end' to have its sessions ended, 'ignore' to let it be.",
  })
}
