import { AfreshError } from '../../errors.ts'

/**
 * Called in the body of a suite: its tests start from what `prepare` writes, instead of from the baseline.
 * `prepare` runs once, on the state from which the enclosing suite starts. Suites can be nested.
 *
 * @param name of the snapshot; different from those of enclosing suites
 * @param timeoutMs milliseconds that `prepare` and the snapshot may take. Default: the runner's, for a hook
 */
export type StartFrom = (name: string, prepare: () => unknown, timeoutMs?: number) => void

/** What a runner gives to register hooks of the current suite. */
export interface SuiteHooks {
  beforeAll(hook: () => Promise<void>, timeoutMs: number | undefined): void
  afterAll(hook: () => Promise<void>): void
}

export interface Starts {
  beginStart(name: string, prepare: () => unknown): Promise<void>
  endStart(name: string): Promise<void>
}

/** @param starts those of the worker */
export function startFromIn({ beforeAll, afterAll }: SuiteHooks, starts: () => Starts): StartFrom {
  return (name, prepare, timeoutMs) => {
    if (typeof name !== 'string' || name === '' || typeof prepare !== 'function') {
      throw new AfreshError('usage', 'startFrom needs a name and a function.', {
        next: "Call it in the body of a suite: startFrom('paid order', async () => { … }).",
      })
    }
    beforeAll(() => starts().beginStart(name, prepare), timeoutMs)
    afterAll(() => starts().endStart(name))
  }
}
