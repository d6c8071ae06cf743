import type { TestContext } from 'node:test'
import type { StartFrom } from '../core/start-from.ts'
import type { WorkerDatabase } from '../core/worker-database.ts'

/** The body of a test with a database of its own. */
export type TestBody = (own: { readonly database: WorkerDatabase }, t: TestContext) => unknown

/** What `require` returns of the module that `--import` loaded. */
export interface Published {
  readonly database: WorkerDatabase
  readonly startFrom: StartFrom
  readonly withDatabase: (body: TestBody) => (t: TestContext) => Promise<void>
}

const KEY = Symbol.for('afresh.node-test')
const global = globalThis as { [KEY]?: Published }

export function publish(names: Published): void {
  global[KEY] = names
}

export function published(): Published | undefined {
  return global[KEY]
}
