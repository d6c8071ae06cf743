import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { codeOf } from '../errors.ts'

/** The contents of a file in the cache; `undefined` if it is missing or unreadable: it is only a cache. */
export async function readCacheFile(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (codeOf(error) !== undefined) return undefined
    throw error
  }
}

/**
 * Writes a file into a folder of the cache, readable only by this user, and removes the oldest files. Other
 * processes may read and write the file at the same time. Throws the file system's errors.
 *
 * @param limit the number of files that the folder keeps
 */
export async function writeCacheFile(path: string, content: string | Buffer, limit: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const fresh = `${path}.${randomUUID()}`
  await writeFile(fresh, content, { mode: 0o600 })
  await rename(fresh, path)
  await evictOldest(dirname(path), limit)
}

/** Also removes temporary files of runs that were killed between write and rename. */
async function evictOldest(folder: string, limit: number): Promise<void> {
  const names = await readdir(folder)
  if (names.length <= limit) return
  const aged = await Promise.all(
    names.map(async (name) => ({ name, written: await writtenAt(join(folder, name)) })),
  )
  const old = aged.sort((a, b) => b.written - a.written).slice(limit)
  await Promise.all(old.map(({ name }) => rm(join(folder, name), { force: true })))
}

/** 0, so oldest, if another run has just removed the file. */
async function writtenAt(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0
    throw error
  }
}
