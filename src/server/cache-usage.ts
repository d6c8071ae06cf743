import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesIn, namesIn } from '../util/folder-size.ts'
import { cacheFolder } from './embedded/cache.ts'

export interface CacheUsage {
  readonly folder: string
  readonly entries: readonly CacheEntry[]
}

export interface CacheEntry {
  readonly name: string
  readonly bytes: number
  /** What it is, for people. */
  readonly contents: string
}

/** Everything that afresh makes again when it is missing. Not the password of containers that stay. */
const CONTENTS: readonly (readonly [RegExp, string])[] = [
  [/^cluster-/, 'an initialized cluster of the embedded PostgreSQL'],
  [/^prepared-/, 'a cluster of the embedded PostgreSQL with a migrated template'],
  [/^binaries-/, 'the programs of the embedded PostgreSQL'],
  [/^templates$/, 'the schemas of templates'],
  [/^costs$/, 'what DELETE and TRUNCATE cost'],
]

/** What is kept between runs in the user's cache. Changes nothing. */
export function cacheUsage(): CacheUsage {
  const folder = cacheFolder()
  const entries = namesIn(folder).flatMap((name) => {
    const contents = CONTENTS.find(([pattern]) => pattern.test(name))?.[1]
    return contents === undefined ? [] : [{ name, bytes: bytesIn(join(folder, name)), contents }]
  })
  return { folder, entries }
}

/** Throws the file system's errors. */
export async function removeCache({ folder, entries }: CacheUsage): Promise<void> {
  for (const { name } of entries)
    await rm(join(folder, name), { recursive: true, force: true, maxRetries: 10 })
}
