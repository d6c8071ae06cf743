/** Finds the process that runs the test files; this process may be one of them. */
import { writeSync } from 'node:fs'
import { codeOf } from '../../errors.ts'
import { orphaned } from '../core/harness-process/join-run.ts'

/** @throws AfreshError `usage` if the runner has exited, and this process has another parent now */
export function runnerOfThis(): number {
  // A file that runs alone, or --test-isolation=none, has no runner process.
  if (process.env.NODE_TEST_CONTEXT === undefined) return process.pid
  // Read before checking the output: if that is still open, the runner was alive, and our parent, here.
  const { ppid } = process
  if (isUnread() || (process.platform !== 'linux' && ppid === 1)) throw orphaned()
  return ppid
}

/**
 * Whether the reader of our output is gone. The runner holds its other end, which closes when the runner
 * exits. This is more reliable than the parent id: in a container the runner may be process 1, and elsewhere
 * another process may adopt orphans.
 */
function isUnread(): boolean {
  // On Windows the parent id does not change, and an empty write may end the output.
  if (process.platform === 'win32') return false
  try {
    writeSync(1, '')
    return false
  } catch (error) {
    return codeOf(error) === 'EPIPE'
  }
}
