import { calibrate } from '../costs/calibrate.ts'
import { replaceSamples } from '../costs/store.ts'
import { guardEnvironment } from '../database/guard.ts'
import { messageOf, withCleanUp } from '../errors.ts'
import type { BenchResults } from './results.ts'
import { type Clone, cloneOf } from './user-schema/clone.ts'
import type { SchemaBenchOptions } from './user-schema/options.ts'
import { SchemaBenchRun } from './user-schema/run.ts'

export type { SchemaBenchOptions as OwnOptions } from './user-schema/options.ts'

/**
 * Measures DELETE against TRUNCATE for every table of a database, with generated rows, in a copy that is
 * dropped afterwards. Stores the server's costs for strategy `auto`.
 *
 * A table that cannot be measured is `left out`, with the reason. The database itself is only read. On
 * PostgreSQL, no client may be connected to it while it is copied.
 *
 * @throws RefusedError for a server that the guard refuses, and in production
 * @throws AfreshError `usage` for a database without anything to measure; `server` if it cannot be copied
 */
export async function benchUserSchema(url: string, options: SchemaBenchOptions): Promise<BenchResults> {
  guardEnvironment()
  const clone = await cloneOf(url, options)
  return withCleanUp(
    async () => {
      options.signal?.throwIfAborted()
      const run = await SchemaBenchRun.open(clone, options)
      await run.measure()
      if (options.remember !== false) await rememberFor(clone, options.onProgress)
      return run.finish()
    },
    () => clone.close(),
  )
}

/** Measures and stores the costs of DELETE and TRUNCATE. A failure must not lose the results. */
async function rememberFor(clone: Clone, onProgress: SchemaBenchOptions['onProgress']): Promise<void> {
  const { engine, admin } = clone
  onProgress('measures the costs that strategy `auto` uses')
  try {
    const costs = await calibrate(clone, admin)
    await replaceSamples({ engine, connection: admin }, costs, { startedByAfresh: false })
  } catch (error) {
    onProgress(`The costs of DELETE and TRUNCATE could not be measured: ${messageOf(error)}`)
  }
}
