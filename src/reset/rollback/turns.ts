import { AfreshError } from '../../errors.ts'

/** One thing that is lent to one borrower at a time, in the order in which they asked. */
export interface Turns {
  /** Throws `AfreshError` (`blocked`) when nobody gave it back in time. */
  take(): Promise<void>
  giveBack(): void
}

/** @param waitMs milliseconds that a borrower waits */
export function turns(waitMs: number): Turns {
  const waiting: (() => void)[] = []
  let isTaken = false
  return {
    take() {
      if (!isTaken) {
        isTaken = true
        return Promise.resolve()
      }
      return new Promise((resolve, reject) => {
        const turn = () => {
          clearTimeout(timer)
          resolve()
        }
        const timer = setTimeout(() => {
          waiting.splice(waiting.indexOf(turn), 1)
          reject(secondConnection(waitMs))
        }, waitMs)
        waiting.push(turn)
      })
    },
    giveBack() {
      const next = waiting.shift()
      if (next === undefined) isTaken = false
      else next()
    },
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
