const { resolve } = require('node:path')
const basic = require('../jest.config')

const { maxWorkers, workerIdleMemoryLimit, ...project } = basic
const tests = (match, more) => ({ ...project, testMatch: [`<rootDir>/variants/${match}`], ...more })
const rootDir = resolve(__dirname, '..')

/** Other ways to run tests, by the name in AFRESH_CONSUMER_VARIANT. */
const VARIANTS = {
  'in band': { maxWorkers: 1, workerIdleMemoryLimit: undefined },
  // As a project has it that repeats the setup file of its preset.
  'threads, set up twice': {
    workerThreads: true,
    setupFilesAfterEnv: ['afresh/jest/reset', './variants/again.js'],
  },
  projects: {
    projects: [
      {
        ...tests('esm/*.test.mjs', {
          displayName: 'esm',
          moduleFileExtensions: ['mjs', 'js'],
          setupFilesAfterEnv: ['<rootDir>/variants/esm/setup.mjs'],
        }),
        rootDir,
      },
      {
        ...tests('ts/*.test.ts', {
          displayName: 'ts',
          moduleFileExtensions: ['js', 'json', 'ts'],
          transform: { '\\.ts$': ['ts-jest', { tsconfig: '<rootDir>/variants/ts/tsconfig.json' }] },
        }),
        rootDir,
      },
      // With an afresh.config.ts of its own.
      '<rootDir>/variants/own',
    ],
  },
  failing: tests('failing/*.test.js'),
  'no global setup': { globalSetup: undefined },
  'no global teardown': { globalTeardown: undefined },
}

const { AFRESH_CONSUMER_VARIANT: name = '' } = process.env
if (!Object.hasOwn(VARIANTS, name)) throw new Error(`no variant is called "${name}"`)

module.exports = { ...basic, rootDir, ...VARIANTS[name] }
