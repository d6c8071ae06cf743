import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Where the processes of `test/server/child.mjs` keep the transpiled sources: it takes each of them ten seconds to do
 * that, and some have no folder to write to. Other users write to it too.
 */
export function transpiledFolder(): string {
  const folder = join(import.meta.dirname, '../../node_modules/.cache/afresh-test-sources')
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, 0o1777)
  return folder
}
