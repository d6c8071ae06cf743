import { runOf } from '../../database/names.ts'
import { messageOf } from '../../errors.ts'
import { pauseAllSockets } from '../core/connections.ts'
import { releaseWorker } from '../core/worker.ts'
import { withdraw } from './provided.ts'

interface ActiveHarness {
  /** The id of its run. */
  readonly run: string
  release(): Promise<void>
}

/** Global, because setup and teardown load copies of this module. */
const KEY = Symbol.for('afresh.jest.shares')
const global = globalThis as { [KEY]?: ActiveHarness[] }
global[KEY] ??= []

/** The harnesses that the global setup of this process started. */
export const activeHarnesses: ActiveHarness[] = global[KEY]

/** Gives back the database of in-band tests, then closes all harnesses, even if one of them fails. */
export async function releaseActiveHarnesses(): Promise<void> {
  withdraw()
  // The next lease checks the state of the database.
  await releaseWorker().catch(() => {})
  // In-band, clients that tests left open live in this process. They would fail when the server stops.
  const runs = new Set(activeHarnesses.map(({ run }) => run))
  pauseAllSockets((database) => runs.has(runOf(database) ?? ''))
  const ended = await Promise.allSettled(activeHarnesses.splice(0).map((share) => share.release()))
  const errors = ended.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []))
  if (errors.length > 1) throw new AggregateError(errors, errors.map(messageOf).join('\n'))
  if (errors.length === 1) throw errors[0]
}
