import { calibrate } from '../costs/calibrate.ts'
import { rememberCosts } from '../costs/store.ts'
import { guardEnvironment } from '../database/guard.ts'
import { messageOf, withCleanUp } from '../errors.ts'
import { type Clone, cloneOf } from './own/clone.ts'
import type { OwnOptions } from './own/options.ts'
import { OwnRun } from './own/run.ts'
import type { BenchResults } from './results.ts'

export type { OwnOptions } from './own/options.ts'

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
export async function benchSchema(url: string, options: OwnOptions): Promise<BenchResults> {
  guardEnvironment()
  const clone = await cloneOf(url, options)
  return withCleanUp(
    async () => {
      options.signal?.throwIfAborted()
      const run = await OwnRun.open(clone, options)
      await run.measure()
      if (options.remember !== false) await rememberFor(clone, options.onProgress)
      return run.finish()
    },
    () => clone.close(),
  )
}

/** What DELETE and TRUNCATE cost on the server, measured thoroughly. That it cannot be is no reason to lose results. */
async function rememberFor(clone: Clone, onProgress: OwnOptions['onProgress']): Promise<void> {
  const { engine, admin } = clone
  onProgress('measures what the strategy `auto` goes by')
  try {
    const costs = await calibrate(clone, admin)
    await rememberCosts({ engine, connection: admin }, costs, { ours: false })
  } catch (error) {
    onProgress(`What DELETE and TRUNCATE cost here could not be measured: ${messageOf(error)}`)
  }
}
