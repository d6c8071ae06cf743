import { isMainThread } from 'node:worker_threads'

/**
 * Id of the process that runs the tests: this one, or the one that has started it for some of the test files. A shell or
 * npm that has started this one lives too long: a terminal is open for days.
 */
export function runnerOfWorker(): number {
  const isStartedByRunner = process.send !== undefined || process.env.TAP_CHILD_ID !== undefined
  return isMainThread && isStartedByRunner ? process.ppid : process.pid
}
