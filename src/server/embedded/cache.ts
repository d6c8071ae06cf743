import {
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs'
import { chmod, mkdtemp, rename, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { AfreshError, codeOf, messageOf } from '../../errors.ts'
import { registerCleanup } from '../cleanup.ts'
import { withRoom } from '../full-folder.ts'
import { canWriteTo, fallbackFolder, makeFolder, refuseUnlessOurs } from '../private-folder.ts'
import type { UnprivilegedUser } from './unprivileged-user.ts'

/**
 * The folder for what is kept between runs: `AFRESH_CACHE_DIR`; otherwise the system's usual cache folder;
 * otherwise, if that is not writable (no home, or a read-only one), a folder among the temporary files.
 */
export function cacheFolder(): string {
  // PostgreSQL's programs run in another folder, where a relative path would lead elsewhere.
  if (process.env.AFRESH_CACHE_DIR) return resolve(process.env.AFRESH_CACHE_DIR)
  const usual = usualFolder()
  return usual !== undefined && canWriteTo(usual) ? usual : fallbackFolder(resolve(tmpdir()))
}

/**
 * Returns the cache folder, and creates it if it is missing.
 *
 * @throws AfreshError `refused` if other users may write to it, `server` if it cannot be created
 */
export function ownCacheFolder(): string {
  const folder = cacheFolder()
  try {
    makeFolder(folder)
  } catch (cause) {
    throw new AfreshError('server', `${folder} cannot be made: ${messageOf(cause)}.`, {
      next: 'Set AFRESH_CACHE_DIR to a folder that you may write to.',
      cause,
    })
  }
  refuseUnlessOurs(folder)
  return folder
}

function usualFolder(): string | undefined {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env
  // The account that PostgreSQL runs as cannot enter root's home.
  if (process.getuid?.() === 0) return '/var/cache/afresh'
  const home = homeFolder()
  if (process.platform === 'win32')
    return LOCALAPPDATA || home ? join(LOCALAPPDATA || `${home}`, 'afresh') : undefined
  if (process.platform !== 'darwin' && XDG_CACHE_HOME) return resolve(XDG_CACHE_HOME, 'afresh')
  if (home === undefined) return undefined
  const places = process.platform === 'darwin' ? ['Library', 'Caches', 'afresh'] : ['.cache', 'afresh']
  return join(home, ...places)
}

/** `undefined` for a user without an entry in /etc/passwd, and for one whose HOME does not exist. */
function homeFolder(): string | undefined {
  try {
    const home = homedir()
    return existsSync(home) ? home : undefined
  } catch {
    return undefined
  }
}

/**
 * The folder `name` of the cache, filled by `build` if it does not exist yet. Several processes may build it
 * at the same time, each in its own folder; the first to finish provides the result.
 */
export async function cached(name: string, build: (folder: string) => Promise<void>): Promise<string> {
  const cache = ownCacheFolder()
  const result = join(cache, name)
  if (existsSync(result)) {
    refuseUnlessOurs(result)
    return result
  }
  const building = await mkdtemp(join(cache, 'building-'))
  const registration = await registerCleanup({ kind: 'folder', path: building })
  try {
    // mkdtemp's mode 0700 would exclude the account that PostgreSQL runs as.
    await chmod(building, 0o755)
    await withRoom(cache, 'AFRESH_CACHE_DIR', () => build(building))
    await rename(building, result).catch((error) => {
      // EEXIST, ENOTEMPTY; EPERM on Windows: another process finished first.
      if (!existsSync(result) || codeOf(error) === undefined) throw error
    })
    return result
  } finally {
    await rm(building, { recursive: true, force: true, maxRetries: 10 })
    await registration.release()
  }
}

/**
 * Copies a folder, sharing blocks if the file system can. Faster by half than Node's own `cp`, which spends
 * most of the difference on promises: 1,000 files take 45 ms.
 */
export function copyFolder(
  from: string,
  to: string,
  options: { owner?: UnprivilegedUser | undefined; mode?: number },
): void {
  const settle = (path: string, mode: number | undefined) => {
    if (mode !== undefined) chmodSync(path, mode)
    if (options.owner !== undefined) chownSync(path, options.owner.uid, options.owner.gid)
  }
  mkdirSync(to, { mode: 0o700, recursive: true })
  settle(to, options.mode)
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name)
    const target = join(to, entry.name)
    if (entry.isDirectory()) copyFolder(source, target, options)
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target)
    else {
      copyFileSync(source, target, constants.COPYFILE_FICLONE)
      settle(target, options.mode)
    }
  }
}
