import { AfreshError } from '../../errors.ts'
import { type StartFrom, startFromIn } from '../core/start-from.ts'
import { beginStart, endStart } from '../core/worker.ts'

type Hook = (run: (this: { timeout(ms: number): unknown }) => Promise<void>) => void

/** The hooks of the interfaces `bdd` and `tdd`, which mocha makes global. */
type Globals = Partial<Record<'before' | 'suiteSetup' | 'after' | 'suiteTeardown', Hook>>

function hook(bdd: 'before' | 'after', tdd: 'suiteSetup' | 'suiteTeardown'): Hook {
  const globals = globalThis as Globals
  const found = globals[bdd] ?? globals[tdd]
  if (found !== undefined) return found
  throw new AfreshError('usage', 'startFrom needs the hooks of mocha, which are not there.', {
    next: 'Call it in a test file that mocha runs, with the interface bdd or tdd.',
  })
}

/** In the body of `describe`: its tests start from what a function writes, instead of from the baseline. */
export const startFrom: StartFrom = startFromIn(
  {
    beforeAll: (run, timeoutMs) =>
      hook(
        'before',
        'suiteSetup',
      )(function () {
        if (timeoutMs !== undefined) this.timeout(timeoutMs)
        return run()
      }),
    afterAll: (run) => hook('after', 'suiteTeardown')(() => run()),
  },
  () => ({ beginStart, endStart }),
)
