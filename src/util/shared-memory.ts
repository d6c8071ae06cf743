import { accessSync, constants, statfsSync } from 'node:fs'
import { availableMemory } from 'node:process'

/** Where a server's files are. */
export type DataPlace = 'memory' | 'disk'

const LITTLE_BYTES = 64 * 2 ** 20

/** A container started with `--shm-size=1m`, say: PostgreSQL would not start. */
export function hasLittleSharedMemory(): boolean {
  const free = freeBytes()
  return free !== undefined && free < LITTLE_BYTES
}

/** For people. */
export function describeDataPlace(data: DataPlace): string {
  return data === 'memory' ? 'in memory' : 'on a disk'
}

/** Where Linux keeps files in memory. */
const SHARED_MEMORY = '/dev/shm'

// TMPFS_MAGIC: https://man7.org/linux/man-pages/man2/statfs.2.html
const TMPFS = 0x01021994

/** A server's journal grows to 1 GiB (`max_wal_size`), and each test worker has a copy of the baseline. */
const PLENTY_BYTES = 4 * 2 ** 30

/** A folder whose files are in memory; `undefined` where there is none, or none that we may write to. */
export function folderInMemory(): string | undefined {
  return freeBytes() === undefined ? undefined : SHARED_MEMORY
}

/** Whether the files of a folder are in memory, as those of /tmp are on some systems. */
export function isInMemory(folder: string): boolean {
  try {
    return statfsSync(folder).type === TMPFS
  } catch {
    return false // not there: who uses it will say so
  }
}

/** Whether a test server's files fit into memory: containers have often 64 MiB of it, or a limit to all they use. */
export function hasPlentyOfMemory(bytes = PLENTY_BYTES): boolean {
  return Math.min(freeBytes() ?? 0, availableMemory()) >= bytes
}

function freeBytes(): number | undefined {
  try {
    accessSync(SHARED_MEMORY, constants.W_OK)
    const { type, bsize, bavail } = statfsSync(SHARED_MEMORY)
    return type === TMPFS ? bsize * bavail : undefined
  } catch {
    return undefined // not on Linux, or not for us
  }
}
