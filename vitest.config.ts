import { defineConfig } from 'vitest/config'

/** What needs no server: pure code, SQLite in this process, and what the files of the project say. */
const UNIT = [
  'test/{architecture,config-file,destructive-sql,docs}.test.ts',
  'test/{schema,plan,generate,types}/**/*.test.ts',
  'test/baseline/csv-records.test.ts',
  'test/bench/{compare-runs,crossover,distribution,estimate,needs,predict,sentences}.test.ts',
  'test/bench/user-schema/multiply.test.ts',
  'test/bench/report/{base,recommend}.test.ts',
  'test/benchmarks/measure.test.ts',
  'test/cases/{r3-types-for-node10,s4-ignored-build-scripts}.test.ts',
  'test/cli/output.test.ts',
  'test/cli/init/{addition,choices}.test.ts',
  'test/database/names.test.ts',
  'test/engine/mysql/copy-messages.test.ts',
  'test/engine/sql-split*.test.ts',
  'test/engine/sqlite/{files,introspect,reset}.test.ts',
  'test/engine/toy/toy.test.ts',
  'test/erase/sqlite.test.ts',
  'test/reset/rollback/control.test.ts',
  'test/runner/{plain-errors,run-statistics,socket-folder}.test.ts',
  'test/util/**/*.test.ts',
]

const OTHERS = ['test/consumers/**', '**/node_modules/**']

export default defineConfig({
  test: {
    testTimeout: 300_000,
    hookTimeout: 300_000,
    maxWorkers: 3,
    // A busy machine may need longer than the second that is the default.
    expect: { poll: { timeout: 20_000 } },
    pool: 'forks',
    // What a test starts, it stops; the reaper's image may not be there. No test runs in a terminal by chance.
    env: { TESTCONTAINERS_RYUK_DISABLED: 'true', AFRESH_IN_TERMINAL: '0' },
    projects: [
      // One set of modules for all files of a worker: loading them takes longer than the tests.
      { extends: true, test: { name: 'unit', include: UNIT, exclude: OTHERS, isolate: false } },
      {
        extends: true,
        test: {
          name: 'servers',
          include: ['test/**/*.test.ts'],
          exclude: [...UNIT, ...OTHERS],
          globalSetup: ['test/support/global-setup.ts'],
        },
      },
    ],
    coverage: {
      include: ['src/schema/**', 'src/plan/**', 'src/erase/{sql,where,options,report,explain}.ts'],
      reporter: ['text'],
    },
  },
})
