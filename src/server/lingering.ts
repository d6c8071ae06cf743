/**
 * In: a server that would end with its run. Out: a server that stays for a while, because databases of failed tests
 * were kept on it; one for each project.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
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

/** Lets the server stay, in place of an earlier one of the project. Throws `AfreshError` (`server`). */
export async function letLinger(server: RunningServer, project: string): Promise<void> {
  if (server.linger === undefined) throw new TypeError('the server does not end with its run')
  for (const earlier of lingeringServers()) if (earlier.project === project) endLingering(earlier)
  const folder = join(ownCacheFolder(), FOLDER)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const record = join(folder, `${randomUUID()}.json`)
  const lingering: LingeringServer = { project, title: server.title, untilMs: time() + LINGER_MS }
  writeFileSync(record, JSON.stringify(lingering), { mode: 0o600 })
  await server.linger({ record, untilMs: lingering.untilMs })
}

/** The servers that stay. */
export function lingeringServers(): (LingeringServer & { readonly record: string })[] {
  const folder = join(cacheFolder(), FOLDER)
  return namesIn(folder).flatMap((name) => {
    const record = join(folder, name)
    const found = readRecord(record)
    return found === undefined || found.untilMs < time() ? [] : [{ ...found, record }]
  })
}

/** The process that waits for it removes the server within a second. */
export function endLingering({ record }: { readonly record: string }): void {
  rmSync(record, { force: true })
}

/** `undefined` if the server has ended meanwhile. */
function readRecord(record: string): LingeringServer | undefined {
  try {
    return JSON.parse(readFileSync(record, 'utf8')) as LingeringServer
  } catch {
    return undefined
  }
}
