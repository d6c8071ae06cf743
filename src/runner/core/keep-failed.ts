import { messageOf } from '../../errors.ts'
import type { TestDatabase } from '../../harness/test-database.ts'
import type { NamedTest } from './leak-check.ts'
import type { RunHandle } from './run-handle.ts'

/** A longer copy would run into the time limit that runners set for hooks: 5 s in jest, 10 s in vitest. */
const LONGEST_MS = 3_000

/**
 * Keeps a copy of the database of a failed test that has written, and prints how to open it. Never fails: the test has
 * an error already.
 */
export async function keepFailed(
  { test }: NamedTest,
  database: Pick<TestDatabase, 'keepCopy'>,
  { tests, server }: Pick<RunHandle, 'tests' | 'server'>,
): Promise<void> {
  if (tests.keepFailed === 0) return
  try {
    const copy = await database.keepCopy({ ifDirty: true, withinMs: LONGEST_MS })
    if (copy === undefined) return
    const { command, tables } = copy
    const wrote = tables.length === 0 ? 'no table' : tables.join(', ')
    const long = server.endsWithRun ? ' for an hour after the run' : ''
    print(`"${test}" failed. A copy of its database stays${long} (wrote: ${wrote}):\n  ${command}`)
  } catch (error) {
    print(`"${test}" failed, and its database could not be kept: ${messageOf(error)}`)
  }
}

/** To standard error: standard output may belong to the reporter. */
function print(text: string): void {
  process.stderr.write(`afresh: ${text}\n`)
}
