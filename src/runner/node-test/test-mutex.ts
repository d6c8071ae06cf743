import type { TestContext } from 'node:test'
import { AfreshError } from '../../errors.ts'

/** The parts of node:test's context that identify a test. Hooks and test get the same object. */
export type Test = Pick<TestContext, 'name' | 'fullName' | 'signal'>

interface Waiter {
  readonly test: Test
  /** `own`: the test continues with a database of its own. */
  readonly settled: Promise<'own' | 'over'>
  settle(how: 'own' | 'over'): void
}

/** Serializes access to the database that the tests of a process share. */
export interface TestMutex {
  /**
   * Whether the database must be reset for this test. `false` for a subtest, which uses what its parent
   * prepared.
   *
   * @throws AfreshError `usage` if another test ran concurrently: a reset would have deleted its rows
   */
  take(test: Test): Promise<boolean>
  /** Ends the turn of a test that has a database of its own. */
  leave(test: Test): void
}

export function testMutex(): TestMutex {
  let turn: Waiter | undefined
  const onTheirOwn = new Set<Test>()

  const newTurn = (test: Test): Waiter => {
    const { promise, resolve } = withResolver<'own' | 'over'>()
    const mine: Waiter = {
      test,
      settled: promise,
      settle(how) {
        if (turn === mine) turn = undefined
        resolve(how)
      },
    }
    // The only signal that every test gives at its end: Node 20 calls no afterEach after `t.skip()`.
    atEnd(test, () => mine.settle('over'))
    return mine
  }

  return {
    async take(test) {
      const isInside = (outer: Test) => test.fullName.startsWith(`${outer.fullName} > `)
      if ((turn !== undefined && isInside(turn.test)) || [...onTheirOwn].some(isInside)) return false
      // Only a test's body shows that it has a database of its own.
      while (turn !== undefined) {
        const before: Waiter = turn
        if ((await before.settled) === 'over') throw concurrent(test, before.test)
      }
      turn = newTurn(test)
      return true
    },
    leave(test) {
      onTheirOwn.add(test)
      atEnd(test, () => onTheirOwn.delete(test))
      if (turn?.test === test) turn.settle('own')
    },
  }
}

function atEnd({ signal }: Test, then: () => void): void {
  if (signal.aborted) then()
  else signal.addEventListener('abort', then, { once: true })
}

function withResolver<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

function concurrent(test: Test, beside: Test): AfreshError {
  return new AfreshError(
    'usage',
    `"${test.fullName}" runs concurrently with "${beside.fullName}", with which it shares a database: a reset would wipe its rows.`,
    {
      next:
        'Make them sequential (no `concurrency` on their suite): files still run in parallel, each with a database of its own. ' +
        "Or give each a database: test('…', withDatabase(async ({ database }) => …)).",
    },
  )
}
