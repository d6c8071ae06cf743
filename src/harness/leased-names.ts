/** The databases that this process has leased, of any harness. Global: there may be several copies of this module. */
const KEY = Symbol.for('afresh.leased-names')
const global = globalThis as { [KEY]?: Set<string> }

export function rememberLeased(name: string): void {
  global[KEY] ??= new Set()
  global[KEY].add(name)
}

export function wasLeasedHere(name: string): boolean {
  return global[KEY]?.has(name) ?? false
}
