import { messageOf } from '../../errors.ts'
import type { Share } from '../shared.ts'
import { giveBack } from './lease.ts'
import { withdraw } from './provided.ts'

/** Global, since setup and teardown are loaded as modules of their own. */
const KEY = Symbol.for('afresh.jest.shares')
const global = globalThis as { [KEY]?: Share[] }
global[KEY] ??= []

/** What the global setup of this process has started. */
export const held: Share[] = global[KEY]

/** Ends all of it; the database of tests that ran in this process first. One that fails does not spare the others. */
export async function endHeld(): Promise<void> {
  withdraw()
  await giveBack()
  const ended = await Promise.allSettled(held.splice(0).map((share) => share.release()))
  const errors = ended.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []))
  if (errors.length > 1) throw new AggregateError(errors, errors.map(messageOf).join('\n'))
  if (errors.length === 1) throw errors[0]
}
