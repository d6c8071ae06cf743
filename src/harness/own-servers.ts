/** The servers that `afresh status` and `afresh clean` look at. */
import { type HarnessOptions, parseHarnessOptions } from '../config/options.ts'
import { type Opened, open } from '../engine/registry.ts'
import { messageOf, withCleanUp } from '../errors.ts'
import { ownContainers } from '../server/container/own-containers.ts'
import { hostOf } from '../server/existing.ts'

export interface LookAtOptions {
  /** The URL of a server: only this one. Default: that of the configuration, and containers that stay. */
  readonly url?: string | undefined
  readonly config: HarnessOptions
}

/** A server that may have databases of afresh. */
export interface ReachableServer {
  /** For people, without a password. */
  readonly title: string
  readonly url: string
  readonly startedByAfresh: boolean
}

/** The servers that can be reached without starting one, and the containers. */
export async function reachableServers({ url, config }: LookAtOptions) {
  const given = (from: string) => ({ title: `existing: ${hostOf(from)}`, url: from, startedByAfresh: false })
  if (url !== undefined) return { servers: [given(url)], containers: [], problems: [] }
  const { server } = parseHarnessOptions(config)
  const { containers, kept, problem } = await ownContainers()
  const servers: ReachableServer[] = [
    ...(server?.kind === 'existing' ? [given(server.url)] : []),
    ...kept.map((container) => ({
      title: `container: ${container.image}`,
      url: container.url,
      startedByAfresh: true,
    })),
  ]
  return { servers, containers, problems: problem === undefined ? [] : [problem] }
}

/**
 * Looks at one server after the other.
 *
 * @returns `problems`: the servers that could not be inspected, as sentences
 * @throws the failure of the only server that the options name
 */
export async function lookAtEach<T>(
  servers: readonly ReachableServer[],
  { url }: LookAtOptions,
  look: (server: ReachableServer) => Promise<T>,
): Promise<{ readonly found: readonly T[]; readonly problems: readonly string[] }> {
  const found: T[] = []
  const problems: string[] = []
  for (const server of servers) {
    try {
      found.push(await look(server))
    } catch (error) {
      if (url !== undefined) throw error
      problems.push(`${server.title}: ${messageOf(error)}`)
    }
  }
  return { found, problems }
}

/** @throws AfreshError `server` if the server does not answer */
export async function onServer<T>(url: string, work: (opened: Opened) => Promise<T>): Promise<T> {
  const opened = await open(url, { applicationName: 'afresh (status)' })
  return withCleanUp(
    () => work(opened),
    () => opened.connection.close(),
  )
}
