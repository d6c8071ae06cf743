/**
 * In: a specification of a server.
 * Out: the server, running.
 * Called by `harness/harness.ts`.
 */
import { startContainer } from './container/container.ts'
import { startEmbedded } from './embedded/embedded.ts'
import { useExisting } from './existing.ts'
import type { RunningServer, StartOptions } from './running-server.ts'
import type { ServerSpec } from './spec.ts'

export type { PreparedDatabases, RunningServer, StartOptions } from './running-server.ts'
export type {
  ContainerOptions,
  ContainerSpec,
  EmbeddedOptions,
  EmbeddedSpec,
  ExistingSpec,
  ServerEngine,
  ServerSpec,
} from './spec.ts'
export { container, embedded, engineOf, existing, parseServer } from './spec.ts'

/**
 * Starts the server, or uses one that runs. A server that was started ends by `stop`, or with this process,
 * however that ends; after `linger`, later.
 *
 * @throws AfreshError `usage` if a package is missing, `server` if the server does not start
 */
export function startServer(spec: ServerSpec, options: StartOptions = {}): Promise<RunningServer> {
  switch (spec.kind) {
    case 'container':
      return startContainer(spec, options)
    case 'embedded':
      return startEmbedded(spec, options)
    case 'existing':
      return useExisting(spec, options)
  }
}
