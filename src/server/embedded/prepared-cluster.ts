/**
 * In: how to fill a server with databases, and a key of all that this depends on. Out: a cluster with those
 * databases, which is built once and kept in the cache, so that later runs start from a copy.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync, utimesSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { withUndo } from '../../errors.ts'
import { withFileLock } from '../../util/file-lock.ts'
import { bytesIn, namesIn } from '../../util/folder-size.ts'
import type { PreparedDatabases } from '../running-server.ts'
import type { Binaries } from './binaries.ts'
import { cached, ownCacheFolder } from './cache.ts'
import { clusterName, copyCluster, makeCluster } from './cluster.ts'
import { HOST, startOnFreePort } from './postmaster.ts'
import type { UnprivilegedUser } from './unprivileged-user.ts'

/** The newest is kept, whatever its size. The oldest are removed until all are no more than this. */
const KEPT = 10
const KEPT_BYTES = 2 * 1024 ** 3

/** As for a template on a server that several runs share. */
const BUILD_TIMEOUT_MS = 600_000

const PREFIX = 'prepared-'
const REMOVED = 'removed-'

/** Without recycling, a clean shutdown leaves one WAL segment of 16 MB, however much was written. */
const BUILD_OPTIONS = ['-c', 'wal_recycle=off', '-c', 'autovacuum=off']

export interface ClusterContext {
  readonly binaries: Binaries
  readonly account: UnprivilegedUser | undefined
  readonly settings: Readonly<Record<string, string>>
}

/**
 * Copies the prepared cluster into `folder`; builds it first if it is not in the cache.
 *
 * @param onWait called if another process is building it
 * @returns the superuser's password
 * @throws AfreshError `refused` if other users may write to it, `server` if the build of another process hangs
 * @throws what `prepared.build` throws; then nothing is kept
 */
export async function copyPrepared(
  context: ClusterContext,
  prepared: PreparedDatabases,
  folder: string,
  onWait: () => void,
): Promise<string> {
  const cache = ownCacheFolder()
  const name = nameOf(context, prepared)
  const path = join(cache, name)
  const build = () => cached(name, (building) => buildIn(building, context, prepared))
  if (existsSync(path)) await build()
  else {
    await withFileLock(`${path}.lock`, build, { timeoutMs: BUILD_TIMEOUT_MS, onWait })
    await evictOldest(cache, name)
  }
  const used = new Date()
  utimesSync(path, used, used)
  copyCluster(path, folder, context)
  return readFileSync(join(path, 'password'), 'utf8')
}

function nameOf({ binaries, settings }: ClusterContext, { key }: PreparedDatabases): string {
  const parts = [clusterName(binaries), JSON.stringify(settings), key]
  return `${PREFIX}${binaries.version}-${createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16)}`
}

async function buildIn(
  building: string,
  { binaries, account, settings }: ClusterContext,
  { build }: PreparedDatabases,
): Promise<void> {
  const password = await makeCluster(binaries, account, join(building, 'data'), settings)
  const postmaster = await startOnFreePort(binaries, account, building, BUILD_OPTIONS)
  await withUndo(
    () => build(`postgres://postgres:${password}@${HOST}:${postmaster.port}/postgres`),
    () => postmaster.stop(),
  )
  await postmaster.stopCleanly()
  await rm(join(building, 'log'), { force: true })
  await writeFile(join(building, 'password'), password, { mode: 0o600 })
}

async function evictOldest(cache: string, newest: string): Promise<void> {
  const names = namesIn(cache)
  const usedAt = (name: string) => statSync(join(cache, name), { throwIfNoEntry: false })?.mtimeMs ?? 0
  const others = names.filter((name) => name !== newest && /^prepared-[\d.]+-[0-9a-f]{16}$/.test(name))
  let bytes = bytesIn(join(cache, newest))
  for (const [index, name] of others.toSorted((a, b) => usedAt(b) - usedAt(a)).entries()) {
    bytes += bytesIn(join(cache, name))
    // Renamed first: what another process finds under the name is complete.
    if (index + 1 >= KEPT || bytes > KEPT_BYTES)
      await rename(join(cache, name), join(cache, `${REMOVED}${name}`)).catch(() => {})
  }
  // Also what a process left that was killed here.
  for (const name of namesIn(cache).filter((name) => name.startsWith(REMOVED)))
    await rm(join(cache, name), { recursive: true, force: true, maxRetries: 10 })
}
