import { randomBytes } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identityOf, isRunning } from '../process-identity.ts'

export interface SocketFolder {
  readonly socket: string
  remove(): void
}

const PREFIX = 'afresh-sessions-'

/** Bytes. Linux takes 107 for a socket's path, macOS 103. */
const LONGEST_PATH = 103

/** A place for a socket that no other user can connect to. */
export function createSocketFolder(folder?: string): SocketFolder {
  const random = randomBytes(6).toString('hex')
  if (process.platform === 'win32') return { socket: `\\\\.\\pipe\\${PREFIX}${random}`, remove: () => {} }
  if (folder !== undefined) return { socket: join(folder, 'sessions'), remove: () => {} }
  removeAbandoned()
  const name = `${PREFIX}${identityOf(process.pid)}-${random}`
  const own = folderFor(name)
  mkdirSync(own, { mode: 0o700 })
  return { socket: join(own, 's'), remove: () => rmSync(own, { recursive: true, force: true }) }
}

function folderFor(name: string): string {
  const usual = join(tmpdir(), name)
  return Buffer.byteLength(join(usual, 's')) <= LONGEST_PATH ? usual : join('/tmp', name)
}

/** Folders of killed processes. */
function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    const [, identity] = /^afresh-sessions-(\d+(?:-\d+)?)-[0-9a-f]{12}$/.exec(name) ?? []
    if (identity === undefined || isRunning(identity)) continue
    const path = join(tmpdir(), name)
    if (lstatSync(path, { throwIfNoEntry: false })?.uid === process.getuid?.())
      rmSync(path, { recursive: true, force: true })
  }
}
