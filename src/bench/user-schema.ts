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
 * Measures DELETE against TRUNCATE for every table of a database, in a copy of it that is gone afterwards, with rows that
 * are made up. What it costs the server is remembered, for the strategy `auto` to go by.
 *
 * A table that cannot be measured is `left out`, with the reason. The database itself is only read; on PostgreSQL nobody
 * may be connected to it for the moment in which it is copied.
 *
 * @throws RefusedError for a server that the guard refuses, and in production
 * @throws AfreshError `usage` for a database that there is nothing to measure in; `server` where it cannot be copied
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

/** What DELETE and TRUNCATE cost on the server, measured thoroughly. That it cannot be is no reason to lose results. */
async function rememberFor(clone: Clone, onProgress: SchemaBenchOptions['onProgress']): Promise<void> {
  const { engine, admin } = clone
  onProgress('measures what the strategy `auto` goes by')
  try {
    const costs = await calibrate(clone, admin)
    await replaceSamples({ engine, connection: admin }, costs, { startedByAfresh: false })
  } catch (error) {
    onProgress(`What DELETE and TRUNCATE cost here could not be measured: ${messageOf(error)}`)
  }
}
