import { tmpdir } from 'node:os'
import { folderInMemory, hasPlentyOfMemory } from '../../src/util/shared-memory.ts'

const ROOM_BYTES = 8 * 2 ** 30

/**
 * Where projects of tests are installed and their servers keep data: in memory if there is room. Ext4
 * searches long for a free inode while many files are made and removed.
 */
export function temporaryFolder(): string {
  const memory = folderInMemory()
  return memory !== undefined && hasPlentyOfMemory(ROOM_BYTES) ? memory : tmpdir()
}
