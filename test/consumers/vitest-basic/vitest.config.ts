import { defineConfig } from 'vitest/config'

export const options = {
  globalSetup: ['afresh/vitest/global-setup'],
  // AFRESH_CONSUMER_NO_RESET=1 proves that these tests need the resets: without them they must fail.
  setupFiles: [
    process.env.AFRESH_CONSUMER_NO_RESET === '1' ? './tests/lease-without-reset.ts' : 'afresh/vitest/reset',
  ],
  include: ['tests/**/*.test.ts'],
  sequence: { shuffle: true },
  maxWorkers: 4,
}

export default defineConfig({ test: options })
