/**
 * In: a configuration.
 * Out: a service over HTTP with which programs in any language lease its databases.
 * Called by `cli/commands/serve.ts`, and for the command of `afresh run`.
 */
import { randomBytes } from 'node:crypto'
import { withCleanUp, withUndo } from '../../errors.ts'
import { now } from '../../util/clock.ts'
import type { LoadedConfig } from '../core/load-config.ts'
import { RunStatistics } from '../core/run-statistics.ts'
import { EventLog } from './event-log.ts'
import type { GateOptions } from './gate.ts'
import { serveHttp } from './http-server.ts'
import { Leases } from './leases.ts'
import { type NumberedDatabases, numberedDatabases } from './numbered-databases.ts'

export interface ServeOptions extends Pick<GateOptions, 'listen' | 'allowedHosts'> {
  /** The number of databases that are made at once; more are made when they are leased. */
  readonly count: number
  /** By default, one that nobody can guess. */
  readonly token?: string | undefined
  /** Reads the OpenAPI document. */
  describe(): unknown
}

export interface ServedDatabases extends NumberedDatabases {
  /** Where clients find the service. */
  readonly server: string
  readonly token: string
  /** Lines for people, for the end. */
  summary(): string[]
}

/**
 * Starts the harness, then the service. A failure leaves nothing running.
 *
 * @throws AfreshError as `createHarness` does; `server` if the address cannot be listened on
 */
export async function serveDatabases(
  config: Pick<LoadedConfig, 'options' | 'inputs'>,
  { count, listen, allowedHosts, describe, token = randomBytes(32).toString('base64url') }: ServeOptions,
): Promise<ServedDatabases> {
  const start = now()
  const databases = await numberedDatabases(config, count)
  return withUndo(async () => {
    const { harness, pool } = databases
    const statistics = new RunStatistics(start)
    const events = new EventLog()
    const leases = new Leases(pool, statistics, events)
    const http = await serveHttp({ harness, leases, events, describe }, { token, listen, allowedHosts })
    const { title, isTemplateNew } = harness
    const startMs = now() - start
    return {
      ...databases,
      server: http.url,
      token,
      summary: () => statistics.summary({ title, isTemplateNew, startMs }),
      close: () =>
        withCleanUp(async () => {
          leases.close()
          await http.close()
        }, databases.close),
    }
  }, databases.close)
}
