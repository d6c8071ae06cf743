import { parseHarnessOptions } from '../config/options.ts'
import { guardConnected, guardEnvironment } from '../database/guard.ts'
import { type OwnDatabase, ownDatabases } from '../database/inventory.ts'
import { dropKept } from '../database/kept.ts'
import { keptAgeMs } from '../database/names.ts'
import { dropUnusedTemplates, reap } from '../database/reaper.ts'
import { messageOf } from '../errors.ts'
import { type CacheUsage, cacheUsage, removeCache } from '../server/cache-usage.ts'
import {
  type OwnEmbeddedServer,
  ownEmbeddedServers,
  removeEmbeddedFolder,
} from '../server/embedded/own-servers.ts'
import { endLingering, type LingeringServer, lingeringServers } from '../server/lingering.ts'
import {
  type LookAtOptions,
  lookAtEach,
  onServer,
  type ReachableServer,
  reachableServers,
} from './own-servers.ts'

export interface CleanOptions extends LookAtOptions {
  /** Whether to remove the caches too. */
  readonly caches: boolean
}

/** What `clean` would remove. */
export interface CleanPlan {
  readonly servers: readonly {
    readonly title: string
    readonly databases: readonly OwnDatabase[]
  }[]
  /** What killed processes left of embedded servers. */
  readonly folders: readonly OwnEmbeddedServer[]
  /** Servers that stay for the databases of failed tests. */
  readonly lingering: readonly LingeringServer[]
  readonly cache: CacheUsage | undefined
  readonly problems: readonly string[]
}

export interface Cleaned {
  /** The names of the databases that are gone. */
  readonly dropped: readonly string[]
  readonly problems: readonly string[]
}

/**
 * What could be removed: databases of runs that have ended, templates that no run uses, folders without a
 * server. Changes nothing.
 *
 * @returns `remove` does it: for each database the server proves again that it carries its mark, and that
 * nobody leases it
 * @throws RefusedError in a production environment, and for a server on another machine that holds rows of
 * others
 * @throws AfreshError `usage`, `server`
 */
export async function planClean(options: CleanOptions): Promise<{
  readonly plan: CleanPlan
  remove(): Promise<Cleaned>
}> {
  guardEnvironment()
  const { servers, problems } = await reachableServers(options)
  const { found, problems: failed } = await lookAtEach(servers, options, async (server) => ({
    server,
    databases: await removableOn(server, options),
  }))
  const folders = options.url === undefined ? ownEmbeddedServers().filter((server) => server.isRemovable) : []
  const lingering = options.url === undefined ? lingeringServers() : []
  const cache = options.caches ? cacheUsage() : undefined
  return {
    plan: {
      servers: found.map(({ server: { title }, databases }) => ({ title, databases })),
      folders,
      lingering: lingering.map(({ recordPath: _, ...server }) => server),
      cache,
      problems: [...problems, ...failed],
    },
    async remove() {
      const done: Cleaned[] = []
      for (const server of lingering) endLingering(server)
      for (const { server, databases } of found) done.push(await drop(server, databases))
      const others = [
        ...folders.map(
          ({ folder }) =>
            () =>
              removeEmbeddedFolder(folder),
        ),
        ...(cache === undefined ? [] : [() => removeCache(cache)]),
      ]
      const left = await problemsOf(others)
      return {
        dropped: done.flatMap(({ dropped }) => dropped),
        problems: [...done.flatMap((outcome) => outcome.problems), ...left],
      }
    },
  }
}

async function removableOn(
  { url, startedByAfresh }: ReachableServer,
  { config }: CleanOptions,
): Promise<OwnDatabase[]> {
  return onServer(url, async ({ engine: { databases }, connection }) => {
    if (databases === undefined) return []
    const { allow } = parseHarnessOptions(config)
    await guardConnected({ databases, connection }, { startedByAfresh, allow })
    return (await ownDatabases(databases, connection)).filter(({ isRemovable }) => isRemovable)
  })
}

/** Asks the server again: a run may have begun since. */
async function drop({ url }: ReachableServer, removable: readonly OwnDatabase[]): Promise<Cleaned> {
  if (removable.length === 0) return { dropped: [], problems: [] }
  return onServer(url, async ({ engine: { databases }, connection }) => {
    if (databases === undefined) return { dropped: [], problems: [] }
    const names = new Set(removable.map(({ name }) => name))
    const problems = [
      ...(await reap(databases, connection, { only: names })),
      ...(await dropUnusedTemplates(databases, connection, names)),
    ]
    await dropKept(databases, connection, {
      isWanted: (name) => names.has(name) && keptAgeMs(name) !== undefined,
      most: 0,
    })
    const left = new Set((await databases.list(connection)).map(({ name }) => name))
    return { dropped: [...names].filter((name) => !left.has(name)), problems }
  })
}

async function problemsOf(works: readonly (() => Promise<void>)[]): Promise<string[]> {
  const problems: string[] = []
  for (const work of works) await work().catch((error: unknown) => problems.push(messageOf(error)))
  return problems
}
