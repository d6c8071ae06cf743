import { defineConfig } from 'vitest/config'
import { options } from '../vitest.config.js'

/** A test that leases a database of its own copies one meanwhile: on a busy machine that takes longer than the default. */
const LEASING = { include: ['variants/concurrent-own.test.ts'], sequence: {}, testTimeout: 60_000 }

/** Other ways to run the same tests, by the name in AFRESH_CONSUMER_VARIANT. */
const VARIANTS = {
  threads: { pool: 'threads' },
  vmThreads: { pool: 'vmThreads' },
  vmForks: { pool: 'vmForks' },
  'shared processes': { isolate: false },
  'shared threads': { isolate: false, pool: 'threads' },
  // As an inline project has it that repeats the root's setup file; hooks of a file in parallel.
  'set up twice': {
    setupFiles: ['afresh/vitest/reset', 'afresh/vitest/reset'],
    sequence: { shuffle: true, hooks: 'parallel' },
  },
  projects: {
    include: [],
    projects: [
      { extends: true, test: { name: 'one', include: ['tests/[a-f]*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'two',
          include: ['tests/[o-z]*.test.ts'],
          globalSetup: ['afresh/vitest/global-setup'],
          setupFiles: ['afresh/vitest/reset'],
        },
      },
    ],
  },
  concurrent: { include: ['variants/concurrent.test.ts'] },
  'concurrent, each its own': LEASING,
  'concurrent, fixtures only': { ...LEASING, setupFiles: [] },
  writes: { reporters: ['default', 'afresh/vitest/reporter'] },
  runner: { runner: 'afresh/vitest/runner', setupFiles: [] },
  'runner, concurrent': { ...LEASING, runner: 'afresh/vitest/runner', setupFiles: [] },
  'runner, leaks': {
    runner: 'afresh/vitest/runner',
    include: ['variants/leaks.test.ts'],
    setupFiles: [],
    sequence: {},
  },
  leaks: { include: ['variants/leaks.test.ts'], sequence: {} },
  blocked: { include: ['variants/blocked.test.ts'], sequence: {} },
  'fixture only': { include: ['variants/fixture-only.test.ts'], setupFiles: [] },
  'no global setup': { globalSetup: [] },
} as const

const { AFRESH_CONSUMER_VARIANT: name = '' } = process.env
if (!Object.hasOwn(VARIANTS, name)) throw new Error(`no variant is called "${name}"`)

export default defineConfig({
  root: import.meta.dirname.replace(/variants$/, ''),
  test: { ...options, ...(VARIANTS as Record<string, object>)[name] },
})
