import { type OwnDatabase, ownDatabases } from '../database/inventory.ts'
import { type CacheUsage, cacheUsage } from '../server/cache-usage.ts'
import type { OwnContainer } from '../server/container/own-containers.ts'
import { type OwnEmbeddedServer, ownEmbeddedServers } from '../server/embedded/own-servers.ts'
import { type LingeringServer, lingeringServers } from '../server/lingering.ts'
import {
  type LookAtOptions,
  lookAtEach,
  onServer,
  type ReachableServer,
  reachableServers,
} from './own-servers.ts'

/** Everything that afresh has on this machine, and on the servers that the configuration names. */
export interface Status {
  readonly servers: readonly ServerStatus[]
  /** Those of runs, too, whose databases only the run can reach. */
  readonly containers: readonly OwnContainer[]
  readonly embedded: readonly OwnEmbeddedServer[]
  /** Servers that stay for the databases of failed tests. */
  readonly lingering: readonly LingeringServer[]
  readonly cache: CacheUsage
  /** What could not be inspected, as sentences. */
  readonly problems: readonly string[]
}

export interface ServerStatus {
  readonly title: string
  readonly databases: readonly OwnDatabase[]
}

/**
 * Starts nothing and changes nothing.
 *
 * @throws AfreshError `usage` for an invalid configuration or URL; `server` if the server of the option `url`
 * does not answer
 */
export async function readStatus(options: LookAtOptions): Promise<Status> {
  const { servers, containers, problems } = await reachableServers(options)
  const looked = await lookAtEach(servers, options, async (server) => ({
    title: server.title,
    databases: await databasesOn(server),
  }))
  const isOne = options.url !== undefined
  return {
    servers: looked.found,
    containers,
    embedded: isOne ? [] : ownEmbeddedServers(),
    lingering: isOne ? [] : lingeringServers().map(({ recordPath: _, ...server }) => server),
    cache: cacheUsage(),
    problems: [...problems, ...looked.problems],
  }
}

/** None on an engine without servers. */
async function databasesOn({ url }: ReachableServer): Promise<OwnDatabase[]> {
  return onServer(url, async ({ engine: { databases }, connection }) =>
    databases === undefined ? [] : ownDatabases(databases, connection),
  )
}
