import { AfreshError, messageOf } from '../../errors.ts'
import { tookTooLong, withTimeout } from '../../util/with-timeout.ts'
import { loadModule, manifestOf, resolvePackage } from '../resolve-package.ts'

type Testcontainers = typeof import('testcontainers')
export type ContainerRuntime = Awaited<ReturnType<Testcontainers['getContainerRuntimeClient']>>

/** The packages that a container of one engine needs, found and loaded. */
export interface ContainerPackages {
  /** testcontainers' own module file, for the cleanup process. */
  readonly file: string
  readonly testcontainers: Testcontainers
  /** The file of the engine's module. */
  readonly moduleFile: string
}

/** @throws AfreshError `usage` where the module is not installed */
export async function loadPackages(module: string): Promise<ContainerPackages> {
  const moduleFile = resolvePackage(module)
  // The module's own copy: there may be several.
  const file = moduleFile === undefined ? undefined : resolvePackage('testcontainers', moduleFile)
  if (moduleFile === undefined || file === undefined) {
    throw new AfreshError(
      'usage',
      `The package ${module} is not installed; containers are started with it.`,
      {
        next: `npm install --save-dev ${module}, or use embedded() or existing(url), which need no container.`,
      },
    )
  }
  try {
    return { file, moduleFile, testcontainers: await loadModule<Testcontainers>(file) }
  } catch (cause) {
    throw notLoadable(module, file, cause)
  }
}

/** Version 12 wants Node 22.22, and fails on an older one somewhere in its own packages. */
function notLoadable(module: string, file: string, cause: unknown): AfreshError {
  const { version = '', engines } = manifestOf('testcontainers', file) ?? {}
  const wants =
    engines?.node === undefined ? '' : ` It wants Node ${engines.node}; this is ${process.version}.`
  return new AfreshError(
    'server',
    `testcontainers ${version} cannot be loaded: ${messageOf(cause)}.${wants}`,
    {
      next: `npm install --save-dev testcontainers@11 ${module}@11, or use a newer Node; embedded() and existing(url) need no container.`,
      cause,
    },
  )
}

const ALTERNATIVES =
  'Start Docker (or another engine that testcontainers finds), or use embedded() or existing(url).'

/**
 * The container engine that testcontainers finds.
 *
 * @param timeoutMs how long it may take to answer
 * @throws AfreshError `server` where none answers
 */
export async function findRuntime(packages: ContainerPackages, timeoutMs: number): Promise<ContainerRuntime> {
  try {
    const runtime = await withTimeout(
      packages.testcontainers.getContainerRuntimeClient(),
      timeoutMs,
      tookTooLong('its answer', timeoutMs),
    )
    refuseOtherThanAsked(runtime)
    return runtime
  } catch (cause) {
    if (cause instanceof AfreshError) throw cause
    const asked = process.env.DOCKER_HOST
    const where = asked === undefined ? '' : ` (DOCKER_HOST is ${asked})`
    throw new AfreshError('server', `No container engine answers${where}: ${messageOf(cause)}.`, {
      next: ALTERNATIVES,
      cause,
    })
  }
}

/** testcontainers passes over a DOCKER_HOST that does not answer and takes the default socket: not in silence. */
function refuseOtherThanAsked(runtime: ContainerRuntime): void {
  const asked = process.env.DOCKER_HOST
  const found = endpointOf(runtime)
  if (asked === undefined || !asked.startsWith('unix://') || !found.startsWith('unix://')) return
  if (asked !== found) {
    throw new AfreshError('server', `No container engine answers at DOCKER_HOST, ${asked}.`, {
      next: `Unset DOCKER_HOST to use the one at ${found}. ${ALTERNATIVES}`,
    })
  }
}

/** Where the engine listens: `unix:///var/run/docker.sock`. */
export function endpointOf(runtime: ContainerRuntime): string {
  const { modem } = runtime.container.dockerode as unknown as {
    modem: { socketPath?: string; host?: string; port?: string | number }
  }
  return modem.socketPath === undefined ? `tcp://${modem.host}:${modem.port}` : `unix://${modem.socketPath}`
}

/**
 * Makes sure that the image is on the engine.
 *
 * @throws AfreshError `server` where it is not there and cannot be pulled
 */
export async function ensureImage(
  packages: ContainerPackages,
  runtime: ContainerRuntime,
  image: string,
  options: { platform?: string | undefined; onProgress?: ((line: string) => void) | undefined } = {},
): Promise<void> {
  const name = packages.testcontainers.ImageName.fromString(image)
  const missing = (cause: unknown, reason: string) =>
    new AfreshError(
      'server',
      `The image ${image} is not on the container engine and cannot be pulled: ${reason}`,
      {
        next: 'Check its name and tag, the network and the registry’s login: `docker pull` says more.',
        cause,
      },
    )
  try {
    if (await runtime.image.exists(name)) return
    options.onProgress?.(`pulling ${image}`)
    await runtime.image.pull(name, { force: false, platform: options.platform })
  } catch (cause) {
    throw missing(cause, messageOf(cause).trim())
  }
  // A pull that breaks off half-way ends without an error.
  if (!(await runtime.image.exists(name))) throw missing(undefined, 'the pull ended without it.')
}
