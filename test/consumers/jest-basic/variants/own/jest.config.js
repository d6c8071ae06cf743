module.exports = {
  displayName: 'own',
  globalSetup: 'afresh/jest/global-setup',
  globalTeardown: 'afresh/jest/global-teardown',
  setupFilesAfterEnv: ['afresh/jest/reset'],
}
