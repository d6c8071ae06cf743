import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readdirSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { time } from '../util/clock.ts'

/**
 * Gives a stopped PostgreSQL cluster a system identifier of its own: a copied cluster has its original's, and
 * afresh's guard distinguishes servers by it. `pg_resetwal` would do the same, but is not among the binaries.
 * The identifier is in two places: the control file (with a checksum) and the first page of each WAL segment.
 * Each is checked before it is written.
 *
 * The layout has been the same since 9.5: src/include/catalog/pg_control.h,
 * src/include/access/xlog_internal.h.
 */
export function renewSystemIdentifier(dataFolder: string): void {
  const control = join(dataFolder, 'global', 'pg_control')
  const content = readFileSync(control)
  const old = content.readBigUInt64LE(0)
  const crcOffset = findChecksum(content)

  const segments = readdirSync(join(dataFolder, 'pg_wal')).filter((name) => /^[0-9A-F]{24}$/.test(name))
  const renewed = newIdentifier()
  for (const segment of segments) replaceInSegment(join(dataFolder, 'pg_wal', segment), old, renewed)

  content.writeBigUInt64LE(renewed, 0)
  content.writeUInt32LE(crc32c(content.subarray(0, crcOffset)), crcOffset)
  writeFileSync(control, content)
}

/** Like PostgreSQL's: the time in seconds in the upper half, random bits in the lower. */
function newIdentifier(): bigint {
  return (BigInt(Math.floor(time() / 1000)) << 32n) | BigInt(randomBytes(4).readUInt32LE())
}

/** Offset of the control file's checksum: after all that it covers, whose length differs by version. */
function findChecksum(content: Buffer): number {
  let crc = 0xffffffff
  for (let offset = 0; offset + 4 <= 512; offset += 4) {
    if (offset > 16 && content.readUInt32LE(offset) === (crc ^ 0xffffffff) >>> 0) return offset
    crc = extendCrc(crc, content.subarray(offset, offset + 4))
  }
  throw new Error('the checksum of pg_control was not found: a layout that afresh does not recognize')
}

// XLogLongPageHeaderData: 24 bytes of XLogPageHeaderData, then xlp_sysid
const IDENTIFIER_IN_SEGMENT = 24

function replaceInSegment(path: string, old: bigint, renewed: bigint): void {
  const file = openSync(path, 'r+')
  try {
    const bytes = Buffer.alloc(8)
    readSync(file, bytes, 0, 8, IDENTIFIER_IN_SEGMENT)
    if (bytes.readBigUInt64LE() !== old) throw new Error(`${path} is not a WAL segment of this cluster`)
    bytes.writeBigUInt64LE(renewed)
    writeSync(file, bytes, 0, 8, IDENTIFIER_IN_SEGMENT)
  } finally {
    closeSync(file)
  }
}

/** CRC-32C (Castagnoli), RFC 3720. */
function crc32c(bytes: Uint8Array): number {
  return (extendCrc(0xffffffff, bytes) ^ 0xffffffff) >>> 0
}

function extendCrc(crc: number, bytes: Uint8Array): number {
  let result = crc
  for (const byte of bytes) {
    result ^= byte
    for (let bit = 0; bit < 8; bit++) result = (result >>> 1) ^ (result & 1 ? 0x82f63b78 : 0)
  }
  return result >>> 0
}
