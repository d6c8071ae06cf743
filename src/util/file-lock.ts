import { randomUUID } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { codeOf } from '../errors.ts'
import { sleep } from './clock.ts'
import { identityOf, isRunning } from './process-identity.ts'

const LOOK_MS = 50

/**
 * Runs `work` while no other process, and no other call in this one, runs it under the same path. A lock that
 * a killed process left is taken over. Two processes that do not see each other, as in two containers with a
 * shared folder, may both run: `work` has to tolerate that.
 *
 * @param path a file that does not exist; it holds the identity of the process, and is removed afterwards
 * @param onWait called once if another process holds the lock
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  onWait: () => void = () => {},
): Promise<T> {
  let isWaiting = false
  while (!tryLock(path)) {
    if (!isWaiting) onWait()
    isWaiting = true
    await sleep(LOOK_MS)
  }
  try {
    return await work()
  } finally {
    rmSync(path, { force: true })
  }
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
