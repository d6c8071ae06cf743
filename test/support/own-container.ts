import { randomUUID } from 'node:crypto'
import type { GenericContainer, StartedTestContainer } from 'testcontainers'
import { SERVERS } from '../../src/engine/registry.ts'
import { registerCleanup } from '../../src/server/cleanup.ts'
import { CLEANUP_LABEL, removeContainers } from '../../src/server/cleanup-process.ts'
import {
  type ContainerRuntime,
  findRuntime,
  loadPackages,
} from '../../src/server/container/container-engine.ts'
import { privateAddressOf, publishOn, startOnFreePort } from '../../src/server/container/publish-port.ts'
import { type RunningServer, runningServer } from '../../src/server/running-server.ts'
import type { ServerEngine } from '../../src/server/spec.ts'

export interface OwnContainer {
  readonly engine: ServerEngine
  readonly image: string
  /** Arguments of the server: its only settings apart from those of the image. */
  readonly command: readonly string[]
}

const PASSWORD = 'stock'

/** The variable of each official image for the administrator's password. */
const PASSWORD_VARIABLES: Readonly<Record<ServerEngine, string>> = {
  postgres: 'POSTGRES_PASSWORD',
  mysql: 'MYSQL_ROOT_PASSWORD',
  mariadb: 'MARIADB_ROOT_PASSWORD',
}

interface Startable<T> extends Pick<GenericContainer, 'withLabels'> {
  start(): Promise<T>
}

/** Starts a container as afresh does: published on a private address and a free port of this machine. */
export async function startPublished<T extends StartedTestContainer>(
  runtime: ContainerRuntime,
  container: Startable<T>,
  label: string = randomUUID(),
): Promise<T> {
  const address = privateAddressOf(runtime)
  if (address !== undefined) publishOn(container, address)
  container.withLabels({ [CLEANUP_LABEL]: label })
  const start = (): Promise<T> => container.start()
  return startOnFreePort(start, () => removeContainers(runtime, `${CLEANUP_LABEL}=${label}`))
}

/** A container with only the settings of its image, removed with this process at the latest. */
export async function startOwnContainer(title: string, options: OwnContainer): Promise<RunningServer> {
  const { engine, image, command } = options
  const { module, admin, port, dataFolder, ready } = SERVERS[engine].image
  const packages = await loadPackages(module)
  const runtime = await findRuntime(packages, 10_000)
  const { GenericContainer, Wait } = packages.testcontainers
  const label = randomUUID()
  const registration = await registerCleanup({ kind: 'container', label, client: packages.file })
  const container = new GenericContainer(image)
    .withEnvironment({ [PASSWORD_VARIABLES[engine]]: PASSWORD })
    .withCommand([...command])
    // The tests depend on its settings, not on this machine's disk.
    .withTmpFs({ [dataFolder]: 'rw' })
    .withExposedPorts(port)
    .withHealthCheck({ test: ['CMD', 'true'], interval: 60_000 })
    .withWaitStrategy(Wait.forLogMessage(ready.line, ready.times))
    .withStartupTimeout(120_000)
  container.withAutoCleanup?.(false)
  const started = await startPublished(runtime, container, label)
  return runningServer(
    {
      kind: 'existing',
      engine,
      url: `${engine}://${admin.user}:${PASSWORD}@${started.getHost()}:${started.getMappedPort(port)}/${admin.database}`,
      title,
      startedByAfresh: false,
      containerId: started.getId(),
      data: undefined,
      endsWithRun: true,
    },
    async () => {
      await removeContainers(runtime, `${CLEANUP_LABEL}=${label}`)
      await registration.release()
    },
  )
}
