import { runOf } from '../../database/names.ts'
import { messageOf } from '../../errors.ts'
import { pauseAllSockets } from '../core/connections.ts'
import type { SharedHarness } from '../core/shared-harness.ts'
import { giveBack } from './lease.ts'
import { withdraw } from './provided.ts'

/** Global, since setup and teardown are loaded as modules of their own. */
const KEY = Symbol.for('afresh.jest.shares')
const global = globalThis as { [KEY]?: SharedHarness[] }
global[KEY] ??= []

/** What the global setup of this process has started. */
export const activeHarnesses: SharedHarness[] = global[KEY]

/** Ends all of it; the database of tests that ran in this process first. One that fails does not spare the others. */
export async function releaseActiveHarnesses(): Promise<void> {
  withdraw()
  await giveBack()
  // In-band, clients that tests have left open live in this process, and would raise errors as the server goes.
  const runs = new Set(activeHarnesses.map(({ harness }) => harness.handle.run))
  pauseAllSockets((database) => runs.has(runOf(database) ?? ''))
  const ended = await Promise.allSettled(activeHarnesses.splice(0).map((share) => share.release()))
  const errors = ended.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []))
  if (errors.length > 1) throw new AggregateError(errors, errors.map(messageOf).join('\n'))
  if (errors.length === 1) throw errors[0]
}
