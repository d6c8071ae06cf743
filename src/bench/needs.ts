import { existsSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { availableMemory } from 'node:process'
import { folderInMemory } from '../util/shared-memory.ts'
import { allRows, type Case, rowBytes, type Storage } from './cases.ts'

/** Where the rows go, and how much room there is. */
export interface Room {
  readonly place: 'memory' | 'disk' | 'the server'
  /** Bytes; `undefined` on a server whose files are elsewhere. */
  readonly freeBytes: number | undefined
  /** The file system, as far as it is known: `tmpfs`, `ext4`. */
  readonly fileSystem: string | undefined
}

/** Journal and undo of the rows, in addition to the rows: PostgreSQL and InnoDB write about as much again. */
const OVERHEAD = 2

/** Leaves room for the server itself and for everything else on the machine. */
const USABLE = 0.8

/** The most that a server that afresh did not start is asked to hold. */
const MOST_ELSEWHERE_BYTES = 6 * 2 ** 30

/** Bytes that a case takes while it is measured, journal included. */
export function neededBytes(benchCase: Case, rows: number): number {
  return OVERHEAD * allRows(benchCase, rows) * rowBytes(benchCase.shape)
}

/** Why a number of rows is not measured, as a phrase: `they would take 187 GiB of memory, and 12 GiB are free`. */
export function reasonNotToFit(benchCase: Case, rows: number, room: Room): string | undefined {
  const { place, freeBytes } = room
  const needed = neededBytes(benchCase, rows)
  if (freeBytes === undefined) {
    if (needed <= MOST_ELSEWHERE_BYTES) return undefined
    return `they would take ${roomText(needed)}, and afresh fills at most ${roomText(MOST_ELSEWHERE_BYTES)} of a server that it did not start`
  }
  if (needed <= USABLE * freeBytes) return undefined
  return `they would take ${roomText(needed)} of ${place}, and ${roomText(freeBytes)} are free`
}

/** How many rows of a case fit, with two digits. */
export function mostRows({ shape, workers }: Case, { freeBytes }: Room): number {
  const bytes = freeBytes === undefined ? MOST_ELSEWHERE_BYTES : USABLE * freeBytes
  const rows = bytes / (OVERHEAD * rowBytes(shape) * shape.tables * workers)
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, rows))) - 1)
  return Math.floor(rows / step) * step
}

/** Room for files that a process of this machine writes into a folder, or into a container. */
export function roomOn(storage: Storage, kind: 'container' | 'process'): Room {
  const memory = storage === 'memory' ? (kind === 'container' ? '' : folderInMemory()) : undefined
  if (memory !== undefined) {
    const free = memory === '' ? Number.POSITIVE_INFINITY : freeBytesOf(memory)
    return { place: 'memory', freeBytes: Math.min(free ?? 0, availableMemory()), fileSystem: 'tmpfs' }
  }
  const folder = kind === 'container' && existsSync(CONTAINERS) ? CONTAINERS : tmpdir()
  return { place: 'disk', freeBytes: freeBytesOf(folder), fileSystem: fileSystemOf(folder) }
}

/** Where Docker keeps the volumes of its containers, if the engine runs on this machine. */
const CONTAINERS = '/var/lib/docker'

function freeBytesOf(folder: string): number | undefined {
  try {
    const { bsize, bavail } = statfsSync(folder)
    return bsize * bavail
  } catch {
    return undefined
  }
}

// https://man7.org/linux/man-pages/man2/statfs.2.html
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  61267: 'ext4',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  16914836: 'tmpfs',
  2035054128: 'overlay',
  801189825: 'zfs',
}

/** The name of a folder's file system; `undefined` if it is not one of the usual ones of Linux. */
function fileSystemOf(folder: string): string | undefined {
  try {
    return FILE_SYSTEMS[statfsSync(folder).type]
  } catch {
    return undefined
  }
}

/** `187 GiB`, `1.2 GiB`, `24 MiB` */
export function roomText(bytes: number): string {
  if (bytes < 2 ** 30) return `${Math.ceil(bytes / 2 ** 20)} MiB`
  const value = bytes / 2 ** 30
  return `${value >= 10 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(2)} GiB`
}
