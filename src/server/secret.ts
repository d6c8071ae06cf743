import { randomBytes, randomUUID } from 'node:crypto'
import { chmodSync, linkSync, lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AfreshError, codeOf } from '../errors.ts'
import { ownCacheFolder } from './embedded/cache.ts'

/**
 * A password that stays the same between runs, in a private file of this user's cache.
 *
 * @throws AfreshError `refused` if others may read the file
 */
export function keptPassword(name: string): string {
  const folder = ownCacheFolder()
  const path = join(folder, name)
  // Complete before it gets its name: another process may create the file at the same time.
  const own = join(folder, `${name}.${randomUUID()}`)
  writeFileSync(own, randomBytes(15).toString('hex'), { mode: 0o600, flag: 'wx' })
  try {
    linkSync(own, path)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  } finally {
    rmSync(own)
  }
  requirePrivate(path)
  return readFileSync(path, 'utf8').trim()
}

function requirePrivate(path: string): void {
  const found = lstatSync(path)
  const own = process.getuid?.()
  if (own === undefined) {
    chmodSync(path, 0o600)
    return
  }
  if (found.isFile() && found.uid === own && (found.mode & 0o077) === 0) return
  throw new AfreshError(
    'refused',
    `${path} has a password, and is not private to you (mode ${(found.mode & 0o777).toString(8)}).`,
    {
      next: 'Remove it: a new one is created.',
    },
  )
}
