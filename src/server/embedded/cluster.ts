import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { appendFileSync, chmodSync, readFileSync } from 'node:fs'
import { chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { AfreshError, messageOf } from '../../errors.ts'
import { hasLittleSharedMemory } from '../../util/shared-memory.ts'
import { requireReachable } from '../private-folder.ts'
import { serverEnvironment } from '../server-environment.ts'
import { renewSystemIdentifier } from '../system-identifier.ts'
import type { Binaries } from './binaries.ts'
import { cached, copyFolder, ownCacheFolder } from './cache.ts'
import type { UnprivilegedUser } from './unprivileged-user.ts'

const SETTINGS: Readonly<Record<string, string>> = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  // If the files are in memory, the WAL is as well: it would grow to 1 GiB.
  max_wal_size: '256MB',
  max_connections: '200',
  // TRUNCATE of many tables in one statement takes a lock on each.
  max_locks_per_transaction: '1024',
  timezone: 'UTC',
  log_timezone: 'UTC',
}

/**
 * Creates a cluster in `folder`: a copy of one that was initialized once and is kept in the cache, with a
 * system identifier of its own.
 *
 * @returns the superuser's password, which is the cached cluster's: it is as secret as this user's cache
 */
export async function makeCluster(
  binaries: Binaries,
  account: UnprivilegedUser | undefined,
  folder: string,
  settings: Readonly<Record<string, string>>,
): Promise<string> {
  requireReachable(ownCacheFolder(), account, 'AFRESH_CACHE_DIR')
  const original = await cached(clusterName(binaries), (building) =>
    initialise(binaries, account, initdbArguments(binaries.version), building),
  )
  copyCluster(original, folder, { account, settings })
  renewSystemIdentifier(folder)
  return readFileSync(join(original, 'password'), 'utf8')
}

/** Copies the cluster in `data` of a folder of the cache, and sets `settings` in the copy. */
export function copyCluster(
  original: string,
  folder: string,
  options: {
    readonly account: UnprivilegedUser | undefined
    readonly settings: Readonly<Record<string, string>>
  },
): void {
  copyFolder(join(original, 'data'), folder, { owner: options.account })
  chmodSync(folder, 0o700)
  const settings = Object.entries({ ...SETTINGS, ...options.settings })
  const lines = settings.map(([name, value]) => line(name, value))
  appendFileSync(join(folder, 'postgresql.conf'), `\n${lines.join('\n')}\n`)
}

/** Its name in the cache, which changes with everything that it depends on. */
export function clusterName({ version }: Binaries): string {
  const parts = [version, process.platform, process.arch, ...initdbArguments(version)]
  return `cluster-${version}-${createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 12)}`
}

function initdbArguments(version: string): string[] {
  const major = Number.parseInt(version, 10)
  return [
    '--username=postgres',
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The same sort order and case rules on every machine; the builtin provider exists since 17.
    '--locale=C',
    ...(major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : []),
    // The default since 18; checksums make every hint bit a write to the WAL.
    ...(major >= 18 ? ['--no-data-checksums'] : []),
    // initdb starts a server as well; the option exists since 16.
    ...(major >= 16 && hasLittleSharedMemory() ? ['--set=dynamic_shared_memory_type=mmap'] : []),
    '--no-sync',
    '--no-instructions',
  ]
}

async function initialise(
  binaries: Binaries,
  account: UnprivilegedUser | undefined,
  args: readonly string[],
  building: string,
): Promise<void> {
  const data = join(building, 'data')
  const password = join(building, 'password')
  await mkdir(data, { mode: 0o700 })
  await writeFile(password, randomBytes(15).toString('hex'), { mode: 0o600 })
  if (account !== undefined) {
    await chown(data, account.uid, account.gid)
    await chown(password, account.uid, account.gid)
  }
  try {
    await promisify(execFile)(binaries.initdb, ['-D', data, `--pwfile=${password}`, ...args], {
      ...account,
      cwd: building,
      env: serverEnvironment(),
    })
  } catch (cause) {
    const stderr =
      typeof cause === 'object' && cause !== null && 'stderr' in cause ? String(cause.stderr) : ''
    throw new AfreshError('server', `initdb failed: ${stderr.trim() || messageOf(cause)}`, {
      next: `Its files would be in ${building}; set AFRESH_CACHE_DIR to use another folder.`,
      cause,
    })
  }
}

/** A line of postgresql.conf. */
function line(name: string, value: string): string {
  if (!/^[a-z_][\w.]*$/i.test(name) || /[\n\r]/.test(value)) {
    throw new AfreshError(
      'usage',
      `'${name}' cannot be set: it is not the name of a setting, or its value has a line break.`,
    )
  }
  return `${name} = '${value.replaceAll("'", "''")}'`
}
