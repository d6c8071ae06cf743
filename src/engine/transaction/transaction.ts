/**
 * In: the client of a test.
 * Out: a transaction around the test, in which its own BEGIN and COMMIT are savepoints.
 * Called by the `transaction/` folder of each engine.
 */
import { randomBytes } from 'node:crypto'
import { AfreshError } from '../../errors.ts'

/** A transaction around one test, on a user's client. */
export interface Transaction {
  /** Rolls back and restores the client, whatever happened to the connection. Never throws. */
  end(): Promise<Ending>
}

export interface Ending {
  /** What ended the transaction early, as a phrase; `undefined` if it was still the original transaction. */
  readonly lost: string | undefined
  /** The error of a deferred constraint, with which a COMMIT would have failed. */
  readonly violation: unknown
}

export interface TransactionOptions {
  /** The database that the client must be connected to. */
  readonly database: string
  /** Milliseconds that one part of the test waits while another part uses the pool's connection. */
  readonly waitMs: number
}

/** Savepoint names that no test uses. */
export interface Savepoints {
  /** Set at the very beginning: if it is missing, so is the transaction. */
  readonly mark: string
  /** The start of the transaction of the code under test, or its last statement outside of one. */
  readonly base: string
}

export function newSavepoints(): Savepoints {
  const own = `afresh_${randomBytes(4).toString('hex')}`
  return { mark: `${own}_mark`, base: `${own}_base` }
}

/**
 * Throws `AfreshError` (`usage`) if the client is connected to another database, whose writes would not be
 * undone.
 */
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
 * Replaces an object's own or inherited function. The returned function restores it, unless another
 * replacement was made since.
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
