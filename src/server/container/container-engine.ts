import { AfreshError, messageOf } from '../../errors.ts'
import { tookTooLong, withTimeout } from '../../util/with-timeout.ts'
import { loadModule, manifestOf, resolvePackage } from '../resolve-package.ts'
import type { StartOptions } from '../running-server.ts'

type Testcontainers = typeof import('testcontainers')
export type ContainerRuntime = Awaited<ReturnType<Testcontainers['getContainerRuntimeClient']>>

/** The packages that a container of one database engine needs, loaded. */
export interface ContainerPackages {
  /** The module file of testcontainers, for the cleanup process. */
  readonly file: string
  readonly testcontainers: Testcontainers
  /** The module file of the package for the database engine. */
  readonly moduleFile: string
}

/** @throws AfreshError `usage` if the module is not installed, `server` if testcontainers cannot be loaded */
export async function loadPackages(module: string): Promise<ContainerPackages> {
  const moduleFile = resolvePackage(module)
  // The copy that the module uses: several may be installed.
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

/** Version 12 requires Node 22.22; on an older one it fails somewhere in its dependencies. */
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
 * Finds the container engine by testcontainers.
 *
 * @param timeoutMs milliseconds to wait for its answer
 * @throws AfreshError `server` if none answers
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
    const host = process.env.DOCKER_HOST
    const where = host === undefined ? '' : ` (DOCKER_HOST is ${host})`
    throw new AfreshError('server', `No container engine answers${where}: ${messageOf(cause)}.`, {
      next: ALTERNATIVES,
      cause,
    })
  }
}

/** testcontainers silently uses the default socket if DOCKER_HOST does not answer; afresh fails instead. */
function refuseOtherThanAsked(runtime: ContainerRuntime): void {
  const host = process.env.DOCKER_HOST
  const found = endpointOf(runtime)
  if (host === undefined || !host.startsWith('unix://') || !found.startsWith('unix://')) return
  if (host !== found) {
    throw new AfreshError('server', `No container engine answers at DOCKER_HOST, ${host}.`, {
      next: `Unset DOCKER_HOST to use the one at ${found}. ${ALTERNATIVES}`,
    })
  }
}

/** The address of the engine, for example `unix:///var/run/docker.sock`. */
export function endpointOf(runtime: ContainerRuntime): string {
  const { modem } = runtime.container.dockerode as unknown as {
    modem: { socketPath?: string; host?: string; port?: string | number }
  }
  return modem.socketPath === undefined ? `tcp://${modem.host}:${modem.port}` : `unix://${modem.socketPath}`
}

/**
 * Pulls the image if the engine does not have it.
 *
 * @throws AfreshError `server` if it is missing and cannot be pulled
 */
export async function ensureImage(
  packages: ContainerPackages,
  runtime: ContainerRuntime,
  image: string,
  options: StartOptions & { readonly platform?: string | undefined } = {},
): Promise<void> {
  const name = packages.testcontainers.ImageName.fromString(image)
  const missing = (cause: unknown, reason: string) =>
    new AfreshError(
      'server',
      `The image ${image} is not on the container engine and cannot be pulled: ${reason}`,
      {
        next: 'Check its name and tag, the network and the registry’s login: `docker pull` shows the cause.',
        cause,
      },
    )
  try {
    if (await runtime.image.exists(name)) return
    options.progress?.({ phase: 'pull', label: image })
    await runtime.image.pull(name, { force: false, platform: options.platform })
  } catch (cause) {
    throw missing(cause, messageOf(cause).trim())
  }
  // An interrupted pull ends without an error.
  if (!(await runtime.image.exists(name))) throw missing(undefined, 'the pull ended without it.')
}
