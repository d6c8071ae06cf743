import { accessSync, constants, lstatSync, mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AfreshError, codeOf, messageOf } from '../errors.ts'
import type { UnprivilegedUser } from './embedded/unprivileged-user.ts'

/**
 * Creates a folder and its missing parents one by one: `mkdir` with `recursive` never returns for /proc.
 *
 * @throws the system's error
 */
export function makeFolder(path: string): void {
  const missing: string[] = []
  for (let folder = path; !isFolder(folder); folder = dirname(folder)) {
    missing.unshift(folder)
    if (folder === dirname(folder)) break
  }
  for (const folder of missing) {
    try {
      mkdirSync(folder, { mode: 0o755 })
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || !isFolder(folder)) throw error
    }
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/**
 * Refuses a path that another user could have created, or could change: afresh runs programs and keeps
 * passwords there.
 *
 * @throws AfreshError `refused`
 */
export function refuseUnlessOurs(path: string): void {
  const own = process.getuid?.()
  const found = lstatSync(path, { throwIfNoEntry: false })
  // Not available on Windows.
  if (own === undefined || found === undefined) return
  const mode = found.mode & 0o777
  const isOwn = found.uid === own || found.uid === 0
  // The user's own group counts as the user.
  const writers = 0o002 | (found.gid === process.getgid?.() ? 0 : 0o020)
  if (isOwn && !found.isSymbolicLink() && (mode & writers) === 0) return
  const why = found.isSymbolicLink()
    ? 'is a symbolic link'
    : isOwn
      ? `may be written by others (mode ${mode.toString(8)})`
      : `belongs to another user (${found.uid})`
  throw new AfreshError('refused', `${path} ${why}: what is in it cannot be trusted.`, {
    next: 'Remove it, or set AFRESH_CACHE_DIR to a folder that only you may write to.',
  })
}

/** Whether files can be created in the folder, which is created if it is missing. */
export function canWriteTo(path: string): boolean {
  try {
    makeFolder(path)
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/**
 * The user that PostgreSQL runs as must have access to its files.
 *
 * @throws AfreshError `server`, naming the folder that the user cannot enter
 */
export function requireReachable(
  path: string,
  account: UnprivilegedUser | undefined,
  variable: string,
): void {
  if (account === undefined) return
  for (let folder = path; ; folder = dirname(folder)) {
    const found = statSync(folder, { throwIfNoEntry: false })
    const bit = found?.uid === account.uid ? 0o100 : found?.gid === account.gid ? 0o010 : 0o001
    if (found !== undefined && (found.mode & bit) === 0) {
      throw new AfreshError(
        'server',
        `${folder} is closed to the user (${account.uid}) that PostgreSQL runs as, since it does not run as root; its files would be in ${path}.`,
        {
          next: `Set ${variable} to a folder that every user may enter, or run the tests as an ordinary user.`,
        },
      )
    }
    if (folder === dirname(folder)) return
  }
}

/** @throws AfreshError `server` if the folder for temporary files is missing or not writable */
export function requireFolder(path: string, variable: string): void {
  try {
    accessSync(path, constants.W_OK)
    if (isFolder(path)) return
  } catch (cause) {
    throw unusable(path, variable, messageOf(cause), cause)
  }
  throw unusable(path, variable, 'it is not a folder', undefined)
}

function unusable(path: string, variable: string, why: string, cause: unknown): AfreshError {
  return new AfreshError('server', `The folder for temporary files, ${path}, cannot be used: ${why}.`, {
    next: `Create it, or set ${variable} to an existing folder that you may write to.`,
    cause,
  })
}

/** The cache folder of a user whose home is unavailable: one for each user. */
export function fallbackFolder(temporary: string): string {
  return join(temporary, `afresh-cache-${process.getuid?.() ?? 'user'}`)
}
