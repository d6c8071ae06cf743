import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { AfreshError, codeOf } from '../errors.ts'

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'is a file, not a folder',
  ENOTDIR: 'is inside a file',
  EACCES: 'may not be written to by this user',
  EPERM: 'may not be written to by this user',
  EROFS: 'is on a file system that is read-only',
  ENOSPC: 'is full',
  EDQUOT: 'is full: the disk quota of this user is used up',
}

/**
 * Runs `body`, which writes results into the folder.
 *
 * @throws AfreshError `usage` if the folder does not take them
 */
export async function intoFolder<T>(folder: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (cause) {
    const code = codeOf(cause) ?? ''
    const reason = REASONS[code]
    if (reason === undefined) throw cause
    const isFull = code === 'ENOSPC' || code === 'EDQUOT'
    throw new AfreshError('usage', `The results cannot be written: ${folder} ${reason}.`, {
      next: isFull
        ? 'Make room there: what was measured before is kept, and the same command continues. Or choose another folder with --out.'
        : 'Choose another folder with --out.',
      cause,
    })
  }
}

/** @throws AfreshError `usage` if there can be no such folder */
export async function makeOutFolder(folder: string): Promise<void> {
  await intoFolder(folder, async () => void (await mkdir(folder, { recursive: true })))
}

/**
 * Replaces the file atomically: readers and interrupted runs find a complete file.
 *
 * @throws AfreshError `usage` if there is no room for it
 */
export async function replaceFile(folder: string, file: string, text: string): Promise<void> {
  const fresh = `${file}.new`
  await intoFolder(folder, async () => {
    try {
      await writeFile(fresh, text)
      await rename(fresh, file)
    } catch (error) {
      await rm(fresh, { force: true })
      throw error
    }
  })
}
