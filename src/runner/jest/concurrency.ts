import { AfreshError } from '../../errors.ts'

/** Marks functions that lease their own database. Global, because each entry has a copy of this module. */
const OWN = Symbol.for('afresh.jest.own')

type Callable = (...args: readonly unknown[]) => unknown

/** Marks a test that leases a database of its own. */
export function leasing<T extends object>(test: T): T {
  return Object.assign(test, { [OWN]: true })
}

/**
 * Wraps `test.concurrent`, or a variant of it (`only`, `failing`, `each` …), so that tests that would share
 * the worker's database fail: jest runs neither `beforeEach` nor `afterEach` for them, so nothing would reset
 * it.
 */
export function refusing<T extends object>(concurrent: T): T {
  return new Proxy(concurrent, {
    get(target, key, receiver) {
      const value: unknown = Reflect.get(target, key, receiver)
      if (!isCallable(value)) return value
      // The arguments of `each` are the rows of its table.
      return key === 'each' ? (...table: readonly unknown[]) => wrapped(value(...table)) : refusing(value)
    },
    apply: (target, self, [name, test, ...rest]) =>
      Reflect.apply(target as Callable, self, [name, isCallable(test) ? refused(name, test) : test, ...rest]),
  })
}

function wrapped(test: unknown): unknown {
  return isCallable(test) ? refusing(test) : test
}

function refused(name: unknown, test: Callable): Callable {
  if (OWN in test) return test
  return () => Promise.reject(concurrentTest(String(name)))
}

function isCallable(value: unknown): value is Callable {
  return typeof value === 'function'
}

function concurrentTest(name: string): AfreshError {
  return new AfreshError(
    'usage',
    `"${name}" runs concurrently with other tests, which share its database, and jest runs no beforeEach for it: nothing would reset it.`,
    {
      next:
        "Give it a database of its own: import { withDatabase } from 'afresh/jest'; test.concurrent('…', " +
        'withDatabase(async ({ database }) => { … })). Or make it sequential: files still run in parallel.',
    },
  )
}
