/**
 * In: how to fill a server with databases, and a key of all that this depends on. Out: a cluster with those
 * databases, which is built once and kept in the cache, so that later runs start from a copy. It is built from
 * another that is kept, if that has their beginning: roles and other effects of it are in the cluster too.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, withUndo } from '../../errors.ts'
import { now } from '../../util/clock.ts'
import { withFileLock } from '../../util/file-lock.ts'
import { bytesIn, namesIn } from '../../util/folder-size.ts'
import { refuseUnlessOurs } from '../private-folder.ts'
import type { PreparedDatabases } from '../running-server.ts'
import type { Binaries } from './binaries.ts'
import { cached, copyFolder, ownCacheFolder } from './cache.ts'
import { clusterName, copyCluster, makeCluster } from './cluster.ts'
import { HOST, startOnFreePort } from './postmaster.ts'
import type { UnprivilegedUser } from './unprivileged-user.ts'

/** The newest is kept, whatever its size. The oldest are removed until all are no more than this. */
const KEPT = 10
const KEPT_BYTES = 2 * 1024 ** 3

/** As for a template on a server that several runs share. */
const BUILD_TIMEOUT_MS = 600_000

/** Keeping a layer costs a stop, a copy and a start: a quarter of a second for 140 tables. */
const LAYER_KEPT_FROM_MS = 1_000

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
  const name = nameOf(context, prepared.key)
  const path = join(cache, name)
  const build = () => cached(name, (building) => buildIn(building, context, prepared))
  const locked = <T>(name: string, work: () => Promise<T>) =>
    withFileLock(join(cache, `${name}.lock`), work, { timeoutMs: BUILD_TIMEOUT_MS, onWait })
  for (;;) {
    if (existsSync(path)) {
      prepared.found?.()
      await build()
    } else {
      const layer = prepared.layer && nameOf(context, prepared.layer.key)
      // Others with the same layer wait, and start from it.
      const isLayerBuilt = layer === undefined || existsSync(join(cache, layer))
      await locked(name, isLayerBuilt ? build : () => locked(layer, build))
      await evictOldest(cache, name)
    }
    try {
      noteUse(path)
      copyCluster(path, folder, context)
      return readFileSync(join(path, 'password'), 'utf8')
    } catch (error) {
      // Another process has removed it, since it was not used for longest.
      if (existsSync(path) || codeOf(error) !== 'ENOENT') throw error
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
    }
  }
}

function noteUse(path: string): void {
  const used = new Date()
  utimesSync(path, used, used)
}

function nameOf({ binaries, settings }: ClusterContext, key: string): string {
  const parts = [clusterName(binaries), JSON.stringify(settings), key]
  return `${PREFIX}${binaries.version}-${createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16)}`
}

async function buildIn(
  building: string,
  context: ClusterContext,
  prepared: PreparedDatabases,
): Promise<void> {
  const { binaries, account, settings } = context
  const data = join(building, 'data')
  const base = copyBase(context, prepared.bases(), data)
  const password = base?.password ?? (await makeCluster(binaries, account, data, settings))
  const start = () => startOnFreePort(binaries, account, building, BUILD_OPTIONS)
  const layer = prepared.layer?.key === base?.key ? undefined : prepared.layer
  let postmaster = await start()
  await withUndo(
    async () => {
      const url = () => `postgres://postgres:${password}@${HOST}:${postmaster.port}/postgres`
      const began = now()
      await layer?.build(url())
      if (layer !== undefined && now() - began >= LAYER_KEPT_FROM_MS) {
        await postmaster.stopCleanly()
        // Without it, others migrate from the beginning: there may be no room for it.
        await keepLayer(context, layer, { data, password }).catch(() => {})
        postmaster = await start()
      }
      await prepared.build(url())
    },
    () => postmaster.stop(),
  )
  await postmaster.stopCleanly()
  await complete(building, password)
}

interface Base {
  readonly key: string
  /** Of the superuser. */
  readonly password: string
}

/** Copies the files of the first of these that is kept; `undefined` if none is. */
function copyBase(context: ClusterContext, keys: readonly string[], data: string): Base | undefined {
  const cache = ownCacheFolder()
  for (const key of keys) {
    const path = join(cache, nameOf(context, key))
    if (!existsSync(path)) continue
    refuseUnlessOurs(path)
    try {
      noteUse(path)
      copyFolder(join(path, 'data'), data, { owner: context.account })
      return { key, password: readFileSync(join(path, 'password'), 'utf8') }
    } catch (error) {
      // Another process removes it, since it was not used for longest.
      if (codeOf(error) !== 'ENOENT') throw error
      rmSync(data, { recursive: true, force: true, maxRetries: 10 })
    }
  }
  return undefined
}

async function keepLayer(
  context: ClusterContext,
  { key }: PreparedDatabases,
  { data, password }: { readonly data: string; readonly password: string },
): Promise<void> {
  await cached(nameOf(context, key), async (folder) => {
    copyFolder(data, join(folder, 'data'), { owner: context.account })
    await complete(folder, password)
  })
}

/** What a folder of the cache has besides the files of the cluster. */
async function complete(folder: string, password: string): Promise<void> {
  await rm(join(folder, 'log'), { force: true })
  await writeFile(join(folder, 'password'), password, { mode: 0o600 })
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
