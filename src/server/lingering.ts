/**
 * In: a server that would end with its run. Out: a server that stays for a while, because databases of failed tests
 * were kept on it; one for each project.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { withUndo } from '../errors.ts'
import { time } from '../util/clock.ts'
import { namesIn } from '../util/folder-size.ts'
import { cacheFolder, ownCacheFolder } from './embedded/cache.ts'
import type { RunningServer } from './running-server.ts'

export interface LingeringServer {
  readonly project: string
  /** For people. */
  readonly title: string
  /** When it ends, in milliseconds since 1970. */
  readonly untilMs: number
}

/** How long a server stays: an hour. */
const LINGER_MS = 3_600_000

const FOLDER = 'lingering'

/**
 * Lets the server stay, in place of an earlier one of the project. Stops it if that fails.
 *
 * @throws AfreshError `server` as `registerCleanup` does; the errors of the file system
 */
export async function letLinger(server: RunningServer, project: string): Promise<void> {
  const { linger } = server
  if (linger === undefined) throw new TypeError('the server does not end with its run')
  const earlier = lingeringServers().filter((other) => other.project === project)
  const recordPath = join(ownCacheFolder(), FOLDER, `${randomUUID()}.json`)
  const lingering: LingeringServer = { project, title: server.title, untilMs: time() + LINGER_MS }
  await withUndo(
    async () => {
      mkdirSync(dirname(recordPath), { recursive: true, mode: 0o700 })
      writeFileSync(recordPath, JSON.stringify(lingering), { mode: 0o600 })
      await linger({ recordPath, untilMs: lingering.untilMs })
    },
    async () => {
      rmSync(recordPath, { force: true })
      await server.stop()
    },
  )
  for (const other of earlier) endLingering(other)
}

/** The servers that stay. Removes the records of those that have ended. */
export function lingeringServers(): (LingeringServer & { readonly recordPath: string })[] {
  const folder = join(cacheFolder(), FOLDER)
  return namesIn(folder).flatMap((name) => {
    const recordPath = join(folder, name)
    const found = readRecord(recordPath)
    if (found === undefined) return []
    if (found.untilMs >= time()) return [{ ...found, recordPath }]
    rmSync(recordPath, { force: true })
    return []
  })
}

/** The process that waits for it removes the server within a second. */
export function endLingering({ recordPath }: { readonly recordPath: string }): void {
  rmSync(recordPath, { force: true })
}

/** `undefined` if the server has ended meanwhile, or if the record is being written. */
function readRecord(path: string): LingeringServer | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as LingeringServer
  } catch {
    return undefined
  }
}
