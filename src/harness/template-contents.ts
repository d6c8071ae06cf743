/**
 * In: a template that an earlier run built. Out: what that run read of it, so that an unchanged template is
 * not read again. It is kept in the user's cache under the template's mark, which no other template has.
 */
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deserialize, serialize } from 'node:v8'
import type { KnownCatalog, ResetOptions } from '../reset/options.ts'
import { readCacheFile, writeCacheFile } from '../server/cache-file.ts'
import { ownCacheFolder } from '../server/embedded/cache.ts'
import { manifestOf } from '../server/resolve-package.ts'
import type { BaselineDigest } from './handle.ts'

/** What a template contains, and a plan for these options. */
export interface TemplateContents {
  readonly baseline: BaselineDigest
  readonly catalog: KnownCatalog
}

/** Everything that the contents depend on. */
export interface ContentsKey {
  /** The mark of the template. */
  readonly mark: string
  readonly options: ResetOptions
  /** See `ServerFacts`. */
  readonly privileges: string
}

/** Some 2 kB a table. */
const FILES_KEPT = 20

/** `undefined` if nothing is kept, or if it cannot be read. */
export async function readContents(key: ContentsKey): Promise<TemplateContents | undefined> {
  try {
    const content = await readCacheFile(pathOf(key))
    return content === undefined ? undefined : (deserialize(content) as TemplateContents)
  } catch {
    // A folder that others may write to, or a file of another version of Node.
    return undefined
  }
}

/** Does nothing if the cache cannot be written: the next run reads the template again. */
export async function writeContents(key: ContentsKey, contents: TemplateContents): Promise<void> {
  try {
    await writeCacheFile(pathOf(key), serialize(contents), FILES_KEPT)
  } catch {
    // It is a cache.
  }
}

function pathOf({ mark, options, privileges }: ContentsKey): string {
  const parts = [thisBuild(), mark, JSON.stringify(options), privileges]
  const hash = createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32)
  return join(ownCacheFolder(), 'templates', hash)
}

/** Another version of afresh reads other things. */
function thisBuild(): string {
  const file = fileURLToPath(import.meta.url)
  const { size, mtimeMs } = statSync(file)
  return `${manifestOf('afresh', file)?.version} ${size} ${mtimeMs}`
}
