import type { database, withDatabase } from './index.ts'

/** What `require` gets to see of the module that `--import` has loaded. */
export interface Published {
  readonly database: typeof database
  readonly withDatabase: typeof withDatabase
}

const KEY = Symbol.for('afresh.node-test')
const global = globalThis as { [KEY]?: Published }

export function publish(names: Published): void {
  global[KEY] = names
}

export function published(): Published | undefined {
  return global[KEY]
}
