import { randomUUID } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { AfreshError, codeOf } from '../errors.ts'
import { now, sleep } from './clock.ts'
import { identityOf, isRunning } from './process-identity.ts'

const POLL_MS = 50

export interface FileLockOptions {
  /** Milliseconds to wait for another process. */
  readonly timeoutMs: number
  /** Called once if another process holds the lock. */
  readonly onWait?: () => void
}

/**
 * Runs `work` while no other process, and no other call in this one, runs it under the same path. A lock that
 * a killed process left is taken over. Two processes that do not see each other, as in two containers with a
 * shared folder, may both run: `work` has to tolerate that.
 *
 * @param path a file that does not exist; it holds the identity of the process, and is removed afterwards
 * @throws AfreshError `server` if another process holds the lock for too long
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  { timeoutMs, onWait = () => {} }: FileLockOptions,
): Promise<T> {
  const deadline = now() + timeoutMs
  let isWaiting = false
  while (!tryLock(path)) {
    if (now() > deadline) throw heldTooLong(path, timeoutMs)
    if (!isWaiting) onWait()
    isWaiting = true
    await sleep(POLL_MS)
  }
  try {
    return await work()
  } finally {
    rmSync(path, { force: true })
  }
}

function heldTooLong(path: string, timeoutMs: number): AfreshError {
  const holder = Number.parseInt(contentOf(path) ?? '', 10)
  return new AfreshError(
    'server',
    `Process ${holder} has held ${path} for more than ${timeoutMs / 1000} s.`,
    { next: 'Look at that process: its migrations may hang.' },
  )
}

function tryLock(path: string): boolean {
  const own = `${path}.${randomUUID()}`
  // A link appears with its content, unlike a file that is opened and then written.
  writeFileSync(own, identityOf(process.pid) ?? '', { mode: 0o600 })
  try {
    linkSync(own, path)
    return true
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    const holder = contentOf(path)
    if (holder !== undefined && !isRunning(holder)) removeStale(path, holder)
    return false
  } finally {
    rmSync(own, { force: true })
  }
}

/** Between look and removal, another process may have taken the lock: that one gets it back. */
function removeStale(path: string, holder: string): void {
  const removed = `${path}.${randomUUID()}`
  try {
    renameSync(path, removed)
    if (contentOf(removed) !== holder) linkSync(removed, path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw error
  } finally {
    rmSync(removed, { force: true })
  }
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
