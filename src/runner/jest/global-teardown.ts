/** `globalTeardown: 'afresh/jest/global-teardown'`: ends what the global setup has started, in the same process. */
import { releaseActiveHarnesses } from './active-harnesses.ts'

export default async function teardown(): Promise<void> {
  await releaseActiveHarnesses()
}
