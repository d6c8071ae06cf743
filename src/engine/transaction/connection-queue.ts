import { AfreshError } from '../../errors.ts'
import { clearTimeout, setTimeout } from '../../util/clock.ts'

export interface Waiter {
  /** A single query, which releases the connection as soon as it is answered. */
  readonly isQuery: boolean
  /** Called with the connection, or with the error why it will never be available. */
  grant(error?: AfreshError): void
}

/** A connection that is lent to one borrower at a time, first come, first served. */
export interface ConnectionQueue {
  /**
   * Lends the connection immediately if it is free. After `waitMs` the borrower receives an AfreshError
   * (`blocked`).
   */
  acquire(borrower: Waiter): void
  release(): void
  /**
   * Ends the test. Waiting queries get the connection immediately, so that they run before the rollback. All
   * other borrowers receive an AfreshError (`blocked`), now and later.
   */
  close(): void
  /** Whether a borrower has not released the connection. */
  isOut(): boolean
}

/** @param waitMs milliseconds that a borrower waits */
export function connectionQueue(waitMs: number): ConnectionQueue {
  const waiting: { readonly borrower: Waiter; readonly timer: NodeJS.Timeout }[] = []
  /** Exceeds 1 only after `close`. */
  let out = 0
  let isClosed = false

  const lendTo = (borrower: Waiter) => {
    out++
    borrower.grant()
  }
  const wait = (borrower: Waiter) => {
    const timer = setTimeout(() => {
      waiting.splice(waiting.indexOf(waiter), 1)
      borrower.grant(secondConnection(waitMs))
    }, waitMs)
    const waiter = { borrower, timer }
    waiting.push(waiter)
  }
  const next = (): Waiter | undefined => {
    const waiter = waiting.shift()
    clearTimeout(waiter?.timer)
    return waiter?.borrower
  }

  return {
    acquire(borrower) {
      if (isClosed) borrower.grant(testEnded())
      else if (out > 0) wait(borrower)
      else lendTo(borrower)
    },
    release() {
      if (out === 0) return
      out--
      const borrower = isClosed ? undefined : next()
      if (borrower !== undefined) lendTo(borrower)
    },
    close() {
      isClosed = true
      for (let borrower = next(); borrower !== undefined; borrower = next()) {
        if (borrower.isQuery) lendTo(borrower)
        else borrower.grant(testEnded())
      }
    },
    isOut: () => out > 0,
  }
}

function secondConnection(waitMs: number): AfreshError {
  return new AfreshError(
    'blocked',
    `The test wants a second connection of the pool, and did not release the first one within ${waitMs} ms. ` +
      'With strategy "rollback" there is only one: two would not see the same rows.',
    { next: 'Release clients after use and query by the one that is checked out; or take another strategy.' },
  )
}

function testEnded(): AfreshError {
  return new AfreshError(
    'blocked',
    'The test ended while a part of it still waited for the connection of the pool: it would have written after the rollback.',
    { next: 'Await everything that the test starts before reset().' },
  )
}
