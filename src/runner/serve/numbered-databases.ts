/** In: a configuration. Out: a harness, and databases with numbers from 1 on, ready to be leased by their number. */
import type { HarnessOptions } from '../../config/options.ts'
import { withCleanUp, withUndo } from '../../errors.ts'
import { createHarnessFrom, type Harness } from '../../harness/harness.ts'
import { urlOfSlot } from '../../harness/lease-from.ts'
import type { LoadedConfig } from '../core/load-config.ts'
import { LeasePool } from '../core/service/lease-pool.ts'

export interface NumberedDatabases {
  readonly harness: Harness
  readonly pool: LeasePool
  /** The URL of each database, that of number 1 first. */
  readonly urls: readonly string[]
  /** Ends the leases, then the harness. */
  close(): Promise<void>
}

/**
 * Starts a harness and makes databases at the baseline. A failure leaves nothing running.
 *
 * @param count the number of databases
 * @throws AfreshError as `createHarness` does
 */
export async function numberedDatabases(
  { options, inputs }: Pick<LoadedConfig, 'options' | 'inputs'>,
  count: number,
): Promise<NumberedDatabases> {
  const made = await createHarnessFrom(withoutRollback(options), { described: inputs })
  const harness =
    options.strategy === 'rollback' ? { ...made, warnings: [...made.warnings, NO_ROLLBACK] } : made
  const pool = new LeasePool(harness)
  const close = () =>
    withCleanUp(
      () => pool.close(),
      () => harness.close(),
    )
  return withUndo(async () => {
    // A failure waits for the others, whose databases would otherwise be made after the end of the run.
    const numbers = Array.from({ length: count }, (_, index) => index + 1)
    const made = await Promise.allSettled(numbers.map((number) => makeReady(pool, number)))
    for (const result of made) if (result.status === 'rejected') throw result.reason
    return { harness, pool, urls: numbers.map((number) => urlOfSlot(harness.handle, number)), close }
  }, close)
}

/** It stays leased by this process: every request for the number gets this database. */
async function makeReady(pool: LeasePool, slot: number): Promise<void> {
  const { name } = await pool.take({ slot, exact: true })
  pool.giveBack(name)
}

const NO_ROLLBACK =
  'strategy `rollback` needs a client in the process of the test: these databases are reset with `auto`'

/** Strategy `rollback` needs a client in the process of the test, which has to be one of Node. */
function withoutRollback(options: HarnessOptions): HarnessOptions {
  return options.strategy === 'rollback' ? { ...options, strategy: 'auto' } : options
}
