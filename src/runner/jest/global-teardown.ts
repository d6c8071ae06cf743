/** `globalTeardown: 'afresh/jest/global-teardown'`: ends what the global setup has started, in the same process. */
import { endHeld } from './held.ts'

export default async function teardown(): Promise<void> {
  await endHeld()
}
