import { AfreshError, messageOf } from '../errors.ts'

export function violated(cause: unknown): AfreshError {
  return new AfreshError(
    'reset',
    `The test left rows that break a deferred constraint, so its COMMIT would have failed: ${messageOf(cause)}.`,
    { next: 'Fix the code under test. The database is at its baseline.', cause },
  )
}

export function rollbackNotSelected(): AfreshError {
  return new AfreshError('usage', 'begin: strategy "rollback" was not asked for.', {
    next: "Set strategy: 'rollback', or leave begin() out: reset() does without.",
  })
}

export function begunTwice(): AfreshError {
  return new AfreshError('usage', 'begin: the transaction of the test before is still open.', {
    next: 'Call reset() after each test: it ends the transaction.',
  })
}

/** What another connection than that of the test's transaction can be asked for. */
export type OutsideWork = 'erase' | 'load' | 'snapshot' | 'keepCopy'

const INSTEAD: Readonly<Record<OutsideWork, string>> = {
  erase: 'Delete by that client, or erase before begin() or after reset().',
  load: 'Insert by that client, or load before begin() or after reset().',
  keepCopy: 'Copy the database before begin() or after reset().',
  snapshot: 'Take the snapshot before begin() or after reset().',
}

export function stillBegun(what: OutsideWork): AfreshError {
  return new AfreshError(
    'usage',
    `${what}: what the test wrote is in a transaction that only its client sees.`,
    { next: INSTEAD[what] },
  )
}

export function stillRunning(waitMs: number): AfreshError {
  return new AfreshError(
    'blocked',
    `The client has not answered for ${waitMs} ms: a query of the test is still running, or waits for a lock.`,
    { next: 'Await every query, and end what holds the lock; the next reset puts everything right.' },
  )
}
