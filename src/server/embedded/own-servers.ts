import { lstatSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { time } from '../../util/clock.ts'
import { namesIn } from '../../util/folder-size.ts'
import { folderInMemory } from '../../util/shared-memory.ts'
import { processesWithDataIn } from '../cleanup-process.ts'
import { FOLDER_PREFIX, ON_A_DISK } from './folders.ts'

export interface OwnEmbeddedServer {
  readonly folder: string
  /** The ids of its processes, the server's own first; empty if none runs. */
  readonly processes: readonly number[]
  readonly ageMs: number
  /** Whether no process uses the folder, and none that is about to start is likely to. */
  readonly isRemovable: boolean
}

/** A server that is being started has a folder before it has a process. */
const STARTING_MS = 3_600_000

/** The embedded servers of this user, and what killed processes left of some. */
export function ownEmbeddedServers(): OwnEmbeddedServer[] {
  const parents = new Set(
    [folderInMemory(), resolve(tmpdir()), ON_A_DISK].filter((path) => path !== undefined),
  )
  return [...parents].flatMap((parent) =>
    namesIn(parent)
      .filter((name) => name.startsWith(FOLDER_PREFIX))
      .flatMap((name) => inspectFolder(join(parent, name)) ?? []),
  )
}

/** Removes the folder, if still no process uses it. */
export async function removeEmbeddedFolder(folder: string): Promise<void> {
  if (inspectFolder(folder)?.isRemovable === true)
    await rm(folder, { recursive: true, force: true, maxRetries: 10 })
}

function inspectFolder(folder: string): OwnEmbeddedServer | undefined {
  const found = lstatSync(folder, { throwIfNoEntry: false })
  const own = process.getuid?.()
  // Root starts PostgreSQL as another user.
  const isOwn = own === undefined || own === 0 || found?.uid === own
  if (found === undefined || !found.isDirectory() || !isOwn) return undefined
  const processes = processesWithDataIn(folder)
  const ageMs = Math.max(0, time() - found.ctimeMs)
  return { folder, processes, ageMs, isRemovable: processes.length === 0 && ageMs > STARTING_MS }
}
