import { randomBytes } from 'node:crypto'
import { AfreshError } from '../../errors.ts'

/** One transaction around a test, on a client of the user's. */
export interface Transaction {
  /** Gives the client back as it was and rolls back; whatever became of the connection. Never throws. */
  end(): Promise<Ending>
}

/** How a transaction ended. */
export interface Ending {
  /** What ended it before its time: a phrase for people. `undefined`: it was still the one that was begun. */
  readonly lost: string | undefined
  /** What a COMMIT would have failed with: the error of a deferred constraint. */
  readonly violation: unknown
}

export interface TransactionOptions {
  /** The database that the client must be connected to. */
  readonly database: string
  /** Milliseconds that one part of the test waits for another, where both want the pool's connection. */
  readonly waitMs: number
}

/** Names of savepoints that no test has. */
export interface Savepoints {
  /** At the very beginning: where it is gone, so is the transaction. */
  readonly mark: string
  /** Where the transaction of the code under test began, or its last statement outside of one. */
  readonly base: string
}

export function newSavepoints(): Savepoints {
  const own = `afresh_${randomBytes(4).toString('hex')}`
  return { mark: `${own}_mark`, base: `${own}_base` }
}

/** Throws `AfreshError` (`usage`) where the client is elsewhere: its writes would not be looked after. */
export function requireDatabase(found: unknown, { database }: TransactionOptions): void {
  if (found === database) return
  throw new AfreshError('usage', `begin: the client is connected to "${found}", not to "${database}".`, {
    next: "Connect it to the `url` of the test database, in the test's process.",
  })
}

export function alreadyOpen(): AfreshError {
  return new AfreshError('usage', 'begin: the client is inside a transaction already.', {
    next: 'End it before: what is in it would be rolled back, or committed, along with the test.',
  })
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/**
 * Puts another function in the place of an object's own or inherited one. The returned function takes it away again,
 * unless somebody has put another one in its place since.
 */
export function replaced(target: object, name: string, value: unknown): () => void {
  const had = Object.getOwnPropertyDescriptor(target, name)
  Object.defineProperty(target, name, { value, configurable: true, writable: true })
  return () => {
    if (Reflect.get(target, name) !== value) return
    if (had === undefined) Reflect.deleteProperty(target, name)
    else Object.defineProperty(target, name, had)
  }
}
