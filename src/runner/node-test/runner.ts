/** Which process runs the test files, of which this process may be one. */
import { writeSync } from 'node:fs'
import { AfreshError, codeOf } from '../../errors.ts'

/** @throws AfreshError when it has ended, and somebody else is the parent of this process now */
export function runnerOfThis(): number {
  // A file that is run on its own, and --test-isolation=none, have no other process.
  if (process.env.NODE_TEST_CONTEXT === undefined) return process.pid
  // Read before the look at the output: who had not ended by then was our parent when it was read.
  const { ppid } = process
  if (isUnread() || (process.platform !== 'linux' && ppid === 1)) throw orphaned()
  return ppid
}

/**
 * Whether nobody can read our output any more: its other end is the runner's, and is closed as the runner ends. More
 * certain than a look at the parent: in a container process 1 may well be the runner, and elsewhere orphans may go to
 * some other process.
 */
function isUnread(): boolean {
  // There the id of the parent stays, and to write nothing may end the output.
  if (process.platform === 'win32') return false
  try {
    writeSync(1, '')
    return false
  } catch (error) {
    return codeOf(error) === 'EPIPE'
  }
}

export function orphaned(): AfreshError {
  return new AfreshError(
    'usage',
    'The process that runs the tests has ended: this one has no server to look for.',
    {
      next: 'Run the tests again.',
    },
  )
}
