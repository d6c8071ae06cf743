import { AfreshError } from '../../errors.ts'
import { clearTimeout, setTimeout } from '../../util/clock.ts'

/** Who asks for the connection. */
export interface Waiter {
  /** One query, which gives it back as soon as it is answered; nothing follows it. */
  readonly isQuery: boolean
  /** Called when its turn has come, or with the error that it never does. */
  grant(error?: AfreshError): void
}

/** One connection that is lent to one borrower at a time, in the order in which they asked. */
export interface ConnectionQueue {
  /** Lends at once where nobody has it. After `waitMs` the borrower is told an AfreshError (`blocked`). */
  acquire(borrower: Waiter): void
  release(): void
  /**
   * The end of the test. Queries that wait are lent the connection at once, so that what they send stands before the
   * rollback; whoever wants to go on using it is told an AfreshError (`blocked`), now and from now on.
   */
  close(): void
  /** Whether somebody has not given it back. */
  isOut(): boolean
}

/** @param waitMs milliseconds that a borrower waits */
export function connectionQueue(waitMs: number): ConnectionQueue {
  const waiting: { readonly borrower: Waiter; readonly timer: NodeJS.Timeout }[] = []
  /** More than one only from `close` on. */
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
