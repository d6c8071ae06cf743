import { messageOf } from '../../errors.ts'
import type { TestDatabase } from '../../harness/test-database.ts'
import type { NamedTest } from './leak-check.ts'
import type { RunHandle } from './run-handle.ts'

/**
 * Keeps a copy of the database of a failed test that has written, and prints how to open it. Never fails: the test has
 * an error already.
 *
 * @param kept how many copies this test file has kept so far
 * @returns the number of copies that the test file has kept
 */
export async function keepFailed(
  { test }: NamedTest,
  database: Pick<TestDatabase, 'keepCopy'>,
  { tests, server }: Pick<RunHandle, 'tests' | 'server'>,
  kept = 0,
): Promise<number> {
  // Every copy takes time, and only the latest stay.
  if (kept >= tests.keepFailed) return kept
  try {
    const copy = await database.keepCopy({ ifDirty: true })
    if (copy === undefined) return kept
    const { command, tables } = copy
    const wrote = tables.length === 0 ? 'no table' : tables.join(', ')
    const long = server.endsWithRun ? ' for an hour after the run' : ''
    print(`"${test}" failed. A copy of its database stays${long} (wrote: ${wrote}):\n  ${command}`)
  } catch (error) {
    print(`"${test}" failed, and its database could not be kept: ${messageOf(error)}`)
  }
  return kept + 1
}

/** To standard error: standard output may belong to the reporter. */
function print(text: string): void {
  process.stderr.write(`afresh: ${text}\n`)
}
