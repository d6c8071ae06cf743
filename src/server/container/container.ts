/**
 * In: the specification of a container.
 * Out: a started database server.
 * Called by `server/server.ts`.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { StartedTestContainer } from 'testcontainers'
import type { ImagePreset } from '../../engine/engine-server.ts'
import { SERVERS } from '../../engine/registry.ts'
import { AfreshError, messageOf, withUndo } from '../../errors.ts'
import { registerCleanup } from '../cleanup.ts'
import { CLEANUP_LABEL, removeContainers } from '../cleanup-process.ts'
import { loadModule } from '../resolve-package.ts'
import { type RunningServer, runningServer, type StartOptions } from '../running-server.ts'
import { keptPassword } from '../secret.ts'
import type { ContainerSpec } from '../spec.ts'
import {
  type ContainerPackages,
  type ContainerRuntime,
  ensureImage,
  findRuntime,
  loadPackages,
} from './container-engine.ts'
import { REUSE_LABEL } from './own-containers.ts'
import { privateAddressOf, publishOn, startOnFreePort } from './publish-port.ts'

const ENGINE_TIMEOUT_MS = 10_000
const START_TIMEOUT_MS = 120_000

/** @throws AfreshError `usage`, `server` */
export async function startContainer(
  spec: ContainerSpec,
  { progress }: StartOptions,
): Promise<RunningServer> {
  const packages = await loadPackages(SERVERS[spec.engine].image.module)
  const runtime = await findRuntime(packages, ENGINE_TIMEOUT_MS)
  await ensureImage(packages, runtime, spec.image, { platform: spec.platform, progress })
  progress?.({ phase: 'start', label: spec.image })

  const address = privateAddressOf(runtime)
  if (staysForNextRun(spec))
    return describe(spec, await start(spec, packages, address, runtime, undefined), async () => {})

  const label = randomUUID()
  const registration = await registerCleanup({ kind: 'container', label, client: packages.file })
  const remove = async () => {
    await removeContainers(runtime, `${CLEANUP_LABEL}=${label}`)
    await registration.release()
  }
  return withUndo(
    async () =>
      describe(spec, await start(spec, packages, address, runtime, label), remove, registration.linger),
    remove,
  )
}

/** testcontainers uses the same variable to switch reuse off on a machine (CI). */
function staysForNextRun(spec: ContainerSpec): boolean {
  return spec.reuse && process.env.TESTCONTAINERS_REUSE_ENABLE !== 'false'
}

interface Started {
  readonly container: StartedTestContainer
  readonly url: string
}

async function start(
  spec: ContainerSpec,
  packages: ContainerPackages,
  address: string | undefined,
  runtime: ContainerRuntime,
  label: string | undefined,
): Promise<Started> {
  const preset: ImagePreset = SERVERS[spec.engine].image
  const { Wait } = packages.testcontainers
  // testcontainers finds a reusable container by its exact configuration, password included.
  const password = label === undefined ? keptPassword('container-password') : randomBytes(15).toString('hex')
  const readyLine = Wait.forLogMessage(preset.ready.line, preset.ready.times)
  const log = new LogTail()

  const container = preset.build(await loadModule(packages.moduleFile), spec.image, password)
  container
    .withEnvironment({ ...preset.environment, ...spec.environment })
    .withCommand([...preset.command, ...(preset.commandFor?.(spec.data) ?? []), ...spec.command])
    // The log is faster than testcontainers' default, a check inside the container several times a second.
    .withHealthCheck({ test: ['CMD', 'true'], interval: 60_000 })
    // The log of a restarted container still has its first start.
    .withWaitStrategy(
      label === undefined ? Wait.forAll([readyLine, Wait.forSuccessfulCommand(preset.isReady)]) : readyLine,
    )
    .withStartupTimeout(START_TIMEOUT_MS)
    .withLogConsumer((stream) => log.read(stream))
  if (address !== undefined) publishOn(container, address)
  if (spec.data === 'memory') container.withTmpFs({ [preset.dataFolder]: 'rw' })
  if (spec.platform !== undefined) container.withPlatform(spec.platform)
  if (label === undefined) container.withReuse().withLabels({ [REUSE_LABEL]: spec.engine })
  // afresh's own cleanup process removes it; testcontainers' reaper would be another container (and image).
  else container.withLabels({ [CLEANUP_LABEL]: label }).withAutoCleanup?.(false)

  try {
    // A reusable container stays: the next start finds it as well.
    const discard = async () => label !== undefined && removeContainers(runtime, `${CLEANUP_LABEL}=${label}`)
    const started = await startOnFreePort(() => container.start(), discard)
    return { container: started, url: adminUrl(spec, password, started) }
  } catch (cause) {
    const logged = log.toString()
    throw new AfreshError('server', `${spec.image} did not start: ${messageOf(cause).trim()}${logged}`, {
      next:
        logged === ''
          ? 'The container engine refused to run it: run `docker run` with the same image to see why.'
          : 'The end of its log, above, says why; `command` and `environment` are passed on unchanged.',
      cause,
    })
  }
}

function describe(
  spec: ContainerSpec,
  { container, url }: Started,
  end: () => Promise<void>,
  linger?: RunningServer['linger'],
): RunningServer {
  return runningServer(
    {
      kind: 'container',
      engine: spec.engine,
      url,
      title: `${SERVERS[spec.engine].title} in a container (${spec.image})`,
      startedByAfresh: true,
      containerId: container.getId(),
      data: spec.data,
      endsWithRun: !staysForNextRun(spec),
      linger,
    },
    end,
  )
}

function adminUrl({ engine }: ContainerSpec, password: string, started: StartedTestContainer): string {
  const { image, schemes } = SERVERS[engine]
  const { admin, port } = image
  return `${schemes[0]}://${admin.user}:${password}@${started.getHost()}:${started.getMappedPort(port)}/${admin.database}`
}

/** The last lines of a container's log, because the container is removed before people can read it. */
class LogTail {
  #lines: string[] = []

  read(stream: Readable): void {
    let rest = ''
    stream.on('data', (chunk) => {
      const lines = (rest + String(chunk)).split('\n')
      rest = lines.pop() ?? ''
      this.#lines = [...this.#lines, ...lines].slice(-15)
    })
    stream.on('error', () => {}) // it ends with the container
  }

  toString(): string {
    return this.#lines.map((line) => `\n  | ${line.trimEnd()}`).join('')
  }
}
