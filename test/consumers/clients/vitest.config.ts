import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    globalSetup: ['afresh/vitest/global-setup'],
    setupFiles: ['afresh/vitest/reset'],
    include: [process.env.AFRESH_TEST_SERVER === undefined ? 'tests/*.test.ts' : 'tests-mysql/*.test.ts'],
    sequence: { shuffle: true },
    maxWorkers: 2,
  },
})
