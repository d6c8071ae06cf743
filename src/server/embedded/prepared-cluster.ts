/**
 * In: how to fill a server with databases, and a key of all that this depends on. Out: a cluster with those
 * databases, which is built once and kept in the cache, so that later runs start from a copy.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, utimesSync } from 'node:fs'
import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { withCleanUp } from '../../errors.ts'
import { withFileLock } from '../../util/file-lock.ts'
import { type PreparedDatabases, runningServer } from '../running-server.ts'
import type { Binaries } from './binaries.ts'
import { cached, ownCacheFolder } from './cache.ts'
import { clusterName, copyCluster, makeCluster } from './cluster.ts'
import { HOST, startOnFreePort } from './postmaster.ts'
import type { UnprivilegedUser } from './unprivileged-user.ts'

/** Apart from the newest, the oldest are removed until no more remain than this, in number and in size. */
const KEPT = 10
const KEPT_BYTES = 2 * 1024 ** 3

const PREFIX = 'prepared-'

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
  if (!existsSync(path)) {
    const build = () => cached(name, (building) => buildIn(building, context, prepared))
    await withFileLock(`${path}.lock`, build, onWait)
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
  const server = runningServer(
    {
      kind: 'embedded',
      engine: 'postgres',
      url: `postgres://postgres:${password}@${HOST}:${postmaster.port}/postgres`,
      title: `PostgreSQL ${binaries.version} embedded`,
      startedByAfresh: true,
      containerId: undefined,
      data: undefined,
      endsWithRun: true,
    },
    async () => {},
  )
  let isBuilt = false
  await withCleanUp(
    async () => {
      await build(server)
      isBuilt = true
    },
    () => (isBuilt ? postmaster.stopCleanly() : postmaster.stop()),
  )
  await rm(join(building, 'log'), { force: true })
  await writeFile(join(building, 'password'), password, { mode: 0o600 })
}

async function evictOldest(cache: string, newest: string): Promise<void> {
  const names = (await readdir(cache)).filter((name) => /^prepared-[\d.]+-[0-9a-f]{16}$/.test(name))
  const aged = await Promise.all(
    names
      .filter((name) => name !== newest)
      .map(async (name) => ({ name, usedAt: await usedAt(cache, name) })),
  )
  let bytes = await bytesIn(join(cache, newest))
  for (const [index, { name }] of aged.toSorted((a, b) => b.usedAt - a.usedAt).entries()) {
    bytes += await bytesIn(join(cache, name))
    if (index + 1 < KEPT && bytes <= KEPT_BYTES) continue
    // Renamed first: what another process finds under the name is complete.
    const removed = join(cache, `building-${name}`)
    await rename(join(cache, name), removed).catch(() => {})
    await rm(removed, { recursive: true, force: true, maxRetries: 10 })
  }
}

/** 0 if another process has just removed it. */
async function usedAt(cache: string, name: string): Promise<number> {
  return stat(join(cache, name)).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  )
}

async function bytesIn(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true }).catch(() => [])
  const sizes = await Promise.all(
    files.map((file) =>
      stat(join(folder, file)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
