import { defineConfig } from 'vitest/config'

// AFRESH_CONSUMER_NO_RESET=1 proves that these tests need the resets: without them they must fail.
const noReset = process.env.AFRESH_CONSUMER_NO_RESET === '1'

export default defineConfig({
  test: {
    globalSetup: ['afresh/vitest/global-setup'],
    setupFiles: [noReset ? './tests/lease-without-reset.ts' : 'afresh/vitest/reset'],
    include: ['tests/**/*.test.ts'],
    sequence: { shuffle: true },
    maxWorkers: 3,
  },
})
