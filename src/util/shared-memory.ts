import { accessSync, constants, statfsSync } from 'node:fs'
import { availableMemory } from 'node:process'

/** Where the files of a server are. */
export type DataPlace = 'memory' | 'disk'

const LITTLE_BYTES = 64 * 2 ** 20

/** For example in a container started with `--shm-size=1m`, where PostgreSQL does not start. */
export function hasLittleSharedMemory(): boolean {
  const free = freeBytes()
  return free !== undefined && free < LITTLE_BYTES
}

/** In words, for messages. */
export function describeDataPlace(data: DataPlace): string {
  return data === 'memory' ? 'in memory' : 'on a disk'
}

/** The tmpfs mount of Linux. */
const SHARED_MEMORY = '/dev/shm'

// TMPFS_MAGIC: https://man7.org/linux/man-pages/man2/statfs.2.html
const TMPFS = 0x01021994

/** The WAL grows to 1 GiB (`max_wal_size`), and each test worker has a copy of the baseline. */
const PLENTY_BYTES = 4 * 2 ** 30

/** A folder in memory, or `undefined` if there is none that this process may write to. */
export function folderInMemory(): string | undefined {
  return freeBytes() === undefined ? undefined : SHARED_MEMORY
}

/** Whether a folder is in memory, as /tmp is on some systems. */
export function isInMemory(folder: string): boolean {
  try {
    return statfsSync(folder).type === TMPFS
  } catch {
    return false // missing: the code that uses the folder reports it
  }
}

/** Whether a test server's files fit into memory. Containers often have 64 MiB, or a memory limit. */
export function hasPlentyOfMemory(bytes = PLENTY_BYTES): boolean {
  return Math.min(freeBytes() ?? 0, availableMemory()) >= bytes
}

function freeBytes(): number | undefined {
  try {
    accessSync(SHARED_MEMORY, constants.W_OK)
    const { type, bsize, bavail } = statfsSync(SHARED_MEMORY)
    return type === TMPFS ? bsize * bavail : undefined
  } catch {
    return undefined // not Linux, or not writable
  }
}
