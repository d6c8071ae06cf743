/** Databases that this process has leased. Global, because this module may be loaded more than once. */
const KEY = Symbol.for('afresh.leased-names')
const global = globalThis as { [KEY]?: Set<string> }

export function rememberLeased(name: string): void {
  global[KEY] ??= new Set()
  global[KEY].add(name)
}

export function wasLeasedHere(name: string): boolean {
  return global[KEY]?.has(name) ?? false
}
