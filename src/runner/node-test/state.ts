import { AfreshError } from '../../errors.ts'
import type { HarnessHandle } from '../../harness/handle.ts'

/** Global, since the module may be loaded as ESM and as CommonJS. */
const KEY = Symbol.for('afresh.node-test')
const global = globalThis as { [KEY]?: { handle: HarnessHandle | undefined } }
global[KEY] ??= { handle: undefined }
const state = global[KEY]

/** Whether somebody has begun already: a second time nothing is to be done. */
export function hasBegun(): boolean {
  return state.handle !== undefined
}

export function beginWith(handle: HarnessHandle): void {
  state.handle = handle
}

/** Throws `AfreshError` (`usage`) where nobody has begun. */
export function currentHandle(): HarnessHandle {
  if (state.handle !== undefined) return state.handle
  throw new AfreshError('usage', 'There is no database: afresh/node-test was not loaded before the tests.', {
    next: 'Run them by: node --import afresh/node-test --test',
  })
}
