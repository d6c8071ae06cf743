import { GenericContainer, Network, Wait } from 'testcontainers'
import { SERVERS } from '../../src/engine/registry.ts'
import type { ServerEngine } from '../../src/server/spec.ts'
import type { ServerAtHand } from './servers.ts'

/** A service as configured in a CI system. */
export interface CiRecipe {
  readonly image: string
  readonly environment: Readonly<Record<string, string>>
  /** Contains the host name that the CI system assigns. */
  readonly url: string
}

const RECIPES = {
  postgres: {
    image: 'postgres:18',
    environment: { POSTGRES_PASSWORD: 'test', POSTGRES_DB: 'app' },
    url: 'postgres://postgres:test@postgres:5432/app',
  },
  mysql: {
    image: 'mysql:9.7',
    environment: { MYSQL_ROOT_PASSWORD: 'test', MYSQL_DATABASE: 'app' },
    url: 'mysql://root:test@mysql:3306/app',
  },
  mariadb: {
    image: 'mariadb:11.8',
    environment: { MARIADB_ROOT_PASSWORD: 'test', MARIADB_DATABASE: 'app' },
    url: 'mariadb://root:test@mariadb:3306/app',
  },
} as const satisfies Record<ServerEngine, CiRecipe>

export interface CiService extends AsyncDisposable {
  readonly server: ServerAtHand
  /** Runs a command in the container. */
  exec(command: string[]): Promise<void>
}

/**
 * Starts the unmodified image on a Docker network, as a CI system does for a job. It is reachable at its own
 * address there, which is not an address of this machine.
 */
export async function startCiService(
  engine: ServerEngine,
  { image, environment, url }: CiRecipe = RECIPES[engine],
): Promise<CiService> {
  const { port } = new URL(url)
  const network = await new Network().start()
  const { dataFolder, ready } = SERVERS[engine].image
  try {
    const container = await new GenericContainer(image)
      .withEnvironment(environment)
      .withNetwork(network)
      .withTmpFs({ [dataFolder]: 'rw' })
      .withWaitStrategy(Wait.forLogMessage(ready.line, ready.times))
      .withStartupTimeout(120_000)
      .start()
    const elsewhere = new URL(url)
    elsewhere.host = `${container.getIpAddress(network.getName())}:${port}`
    return {
      server: { engine, url: elsewhere.toString() },
      async exec(command) {
        const { exitCode, output } = await container.exec(command)
        if (exitCode !== 0) throw new Error(output)
      },
      async [Symbol.asyncDispose]() {
        await container.stop()
        await network.stop()
      },
    }
  } catch (error) {
    await network.stop()
    throw error
  }
}
