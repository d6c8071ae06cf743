// AFRESH_CONSUMER_NO_RESET=1 proves that these tests need the resets: without them they must fail.
const reset =
  process.env.AFRESH_CONSUMER_NO_RESET === '1'
    ? '<rootDir>/tests/lease-without-reset.js'
    : 'afresh/jest/reset'

module.exports = {
  globalSetup: 'afresh/jest/global-setup',
  globalTeardown: 'afresh/jest/global-teardown',
  setupFiles: ['<rootDir>/src/say-worker.js'],
  setupFilesAfterEnv: [reset],
  testMatch: ['<rootDir>/tests/**/*.test.js'],
  maxWorkers: 3,
  // Also when the tests of the last run were so fast that jest would run them in its own process.
  workerIdleMemoryLimit: '2GB',
}
