import { randomBytes } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identityOf, isRunning } from '../../../util/process-identity.ts'

export interface SocketFolder {
  readonly socket: string
  remove(): void
}

const PREFIX = 'afresh-sessions-'
const NAME = new RegExp(`^${PREFIX}(\\d+(?:-\\d+)?)-[0-9a-f]{12}$`)
const SOCKET = 's'

/** Bytes. Linux takes 107 for a socket's path, macOS 103. */
const LONGEST_PATH = 103

/**
 * A path for a socket that no other user can connect to.
 *
 * @param folder a private folder; used unless its path is too long
 */
export function createSocketFolder(folder?: string): SocketFolder {
  const random = randomBytes(6).toString('hex')
  if (process.platform === 'win32') return { socket: `\\\\.\\pipe\\${PREFIX}${random}`, remove: () => {} }
  if (folder !== undefined && isShort(folder)) return { socket: join(folder, SOCKET), remove: () => {} }
  const name = `${PREFIX}${identityOf(process.pid)}-${random}`
  const parent = isShort(join(tmpdir(), name)) ? tmpdir() : '/tmp'
  removeAbandoned(parent)
  const own = join(parent, name)
  mkdirSync(own, { mode: 0o700 })
  return { socket: join(own, SOCKET), remove: () => rmSync(own, { recursive: true, force: true }) }
}

function isShort(folder: string): boolean {
  return Buffer.byteLength(join(folder, SOCKET)) <= LONGEST_PATH
}

/** Removes the folders of killed processes. */
function removeAbandoned(parent: string): void {
  for (const name of readdirSync(parent)) {
    const [, identity] = NAME.exec(name) ?? []
    if (identity === undefined || isRunning(identity)) continue
    const path = join(parent, name)
    if (lstatSync(path, { throwIfNoEntry: false })?.uid === process.getuid?.())
      rmSync(path, { recursive: true, force: true })
  }
}
