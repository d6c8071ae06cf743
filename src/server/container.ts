import { randomBytes, randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { MariaDbContainer } from '@testcontainers/mariadb'
import type { MySqlContainer } from '@testcontainers/mysql'
import type { PostgreSqlContainer } from '@testcontainers/postgresql'
import type { StartedTestContainer } from 'testcontainers'
import { AfreshError, messageOf, withCleanUp } from '../errors.ts'
import { type ContainerPackages, ensureImage, findRuntime, loadPackages } from './container-engine.ts'
import { takeCustody } from './custody.ts'
import { load } from './packages.ts'
import { RECIPES } from './recipes.ts'
import { type RunningServer, runningServer, type StartOptions, titleOf } from './running.ts'
import type { ContainerSpec, ServerEngine } from './spec.ts'
import { LABEL, removeContainers } from './warden.ts'

const ENGINE_TIMEOUT_MS = 10_000
const START_TIMEOUT_MS = 120_000

/** @throws AfreshError `usage`, `server` */
export async function startContainer(
  spec: ContainerSpec,
  { onProgress }: StartOptions,
): Promise<RunningServer> {
  const packages = await loadPackages(RECIPES[spec.engine].module)
  const runtime = await findRuntime(packages, ENGINE_TIMEOUT_MS)
  await ensureImage(packages, runtime, spec.image, { platform: spec.platform, onProgress })

  if (staysForNextRun(spec)) return describe(spec, await start(spec, packages, undefined), async () => {})

  const label = randomUUID()
  const release = await takeCustody({ kind: 'container', label, client: packages.file })
  const remove = async () => {
    await removeContainers(runtime, `${LABEL}=${label}`)
    await release()
  }
  try {
    return describe(spec, await start(spec, packages, label), remove)
  } catch (error) {
    return withCleanUp(() => Promise.reject(error), remove)
  }
}

/** The same variable with which testcontainers lets a machine (CI) switch reuse off. */
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
  label: string | undefined,
): Promise<Started> {
  const recipe = RECIPES[spec.engine]
  const { Wait } = packages.testcontainers
  // A container that is to be found again must be asked for in the same words, password included.
  const password = label === undefined ? 'afresh' : randomBytes(15).toString('hex')
  const said = Wait.forLogMessage(recipe.ready.line, recipe.ready.times)
  const log = new LogTail()

  const { container, url } = await BUILDERS[spec.engine](packages.moduleFile, spec.image, password)
  container
    .withEnvironment({ ...recipe.environment, ...spec.environment })
    .withCommand([...recipe.command, ...(recipe.commandFor?.(spec.data) ?? []), ...spec.command])
    // The log tells sooner than testcontainers' default of running a check inside several times a second.
    .withHealthCheck({ test: ['CMD', 'true'], interval: 60_000 })
    // A container that was stopped and started again still has the log of its first start.
    .withWaitStrategy(label === undefined ? Wait.forAll([said, Wait.forListeningPorts()]) : said)
    .withStartupTimeout(START_TIMEOUT_MS)
    .withLogConsumer((stream) => log.read(stream))
  if (spec.data === 'memory') container.withTmpFs({ [recipe.dataFolder]: 'rw' })
  if (spec.platform !== undefined) container.withPlatform(spec.platform)
  if (label === undefined) container.withReuse()
  // Our own warden removes it; the reaper would be one more container (and image).
  else container.withLabels({ [LABEL]: label }).withAutoCleanup?.(false)

  try {
    const started = await container.start()
    return { container: started, url: url(started) }
  } catch (cause) {
    const logged = log.toString()
    throw new AfreshError('server', `${spec.image} did not start: ${messageOf(cause).trim()}${logged}`, {
      next:
        logged === ''
          ? 'The container engine refused to run it: `docker run` with the same image says more.'
          : 'The end of its log, above, says why; `command` and `environment` reach the server as they are.',
      cause,
    })
  }
}

function describe(spec: ContainerSpec, { container, url }: Started, end: () => Promise<void>): RunningServer {
  return runningServer(
    {
      kind: 'container',
      engine: spec.engine,
      url,
      title: `${titleOf(spec.engine)} in a container (${spec.image})`,
      ours: true,
      containerId: container.getId(),
      data: spec.data,
      endsWithRun: !staysForNextRun(spec),
    },
    end,
  )
}

type Builder = (
  moduleFile: string,
  image: string,
  password: string,
) => Promise<{
  container: PostgreSqlContainer | MySqlContainer | MariaDbContainer
  url: (started: StartedTestContainer) => string
}>

const BUILDERS: Readonly<Record<ServerEngine, Builder>> = {
  async postgres(moduleFile, image, password) {
    const module = await load<typeof import('@testcontainers/postgresql')>(moduleFile)
    const container = new module.PostgreSqlContainer(image).withDatabase('postgres').withUsername('postgres')
    return {
      container: container.withPassword(password),
      url: (started) => adminUrl('postgres', 'postgres', password, started, 5432, 'postgres'),
    }
  },
  async mysql(moduleFile, image, password) {
    const module = await load<typeof import('@testcontainers/mysql')>(moduleFile)
    return {
      container: new module.MySqlContainer(image).withRootPassword(password).withUserPassword(password),
      url: (started) => adminUrl('mysql', 'root', password, started, 3306, 'mysql'),
    }
  },
  async mariadb(moduleFile, image, password) {
    const module = await load<typeof import('@testcontainers/mariadb')>(moduleFile)
    return {
      container: new module.MariaDbContainer(image).withRootPassword(password).withUserPassword(password),
      url: (started) => adminUrl('mariadb', 'root', password, started, 3306, 'mysql'),
    }
  },
}

function adminUrl(
  protocol: string,
  user: string,
  password: string,
  started: StartedTestContainer,
  port: number,
  database: string,
): string {
  return `${protocol}://${user}:${password}@${started.getHost()}:${started.getMappedPort(port)}/${database}`
}

/** The last lines that a container logged: it is removed before anybody can ask for them. */
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
