/** `globalTeardown: 'afresh/jest/global-teardown'`: closes the harnesses of the global setup. */
import { releaseActiveHarnesses } from './active-harnesses.ts'

export default async function teardown(): Promise<void> {
  await releaseActiveHarnesses()
}
