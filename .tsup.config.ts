import { defineConfig, type Options } from 'tsup'

/** What package.json exports. */
const index = { index: 'src/index.ts' }
/** ESM only. */
const runners = {
  'runner/vitest/index': 'src/runner/vitest/index.ts',
  'runner/vitest/global-setup': 'src/runner/vitest/global-setup.ts',
  'runner/vitest/reset': 'src/runner/vitest/reset.ts',
  'runner/vitest/runner': 'src/runner/vitest/runner.ts',
  'runner/node-test/index': 'src/runner/node-test/index.ts',
  'runner/node-test/global-setup': 'src/runner/node-test/global-setup.ts',
  'runner/vitest/reporter': 'src/runner/vitest/reporter.ts',
}
/** What jest loads itself. */
const jestGlobal = {
  'runner/jest/global-setup': 'src/runner/jest/global-setup.ts',
  'runner/jest/global-teardown': 'src/runner/jest/global-teardown.ts',
}
/** What a test file loads, in the realm that jest makes for it, and there what leads out of it. */
const jestIndex = { 'runner/jest/index': 'src/runner/jest/index.ts' }
const jestReset = { 'runner/jest/reset': 'src/runner/jest/reset.ts' }
const jestWorker = { 'runner/jest/worker': 'src/runner/jest/worker.ts' }
const target = 'node20'

/** Each in one file, since it looks for `worker.cjs` beside itself; jest gives the globals. */
const inRealm = { target, splitting: false, external: ['@jest/globals'] }
/** Instead of tsup's shim, which takes jsdom for a browser. */
const inRealmCjs: Options = {
  ...inRealm,
  format: 'cjs',
  esbuildOptions: (options) => {
    options.define = { ...options.define, 'import.meta.url': '__filename' }
  },
}

// The types (`--env.WHAT types`) are apart from the programs, since they take twenty times as long.
export default defineConfig(({ env }) =>
  env?.WHAT === 'types'
    ? {
        entry: { ...index, ...runners, ...jestGlobal, ...jestIndex, ...jestReset },
        format: ['esm', 'cjs'],
        target,
        // tsup sets `baseUrl`, which TypeScript 6 warns of.
        dts: { only: true, compilerOptions: { ignoreDeprecations: '6.0' } },
      }
    : [
        {
          entry: {
            ...index,
            ...runners,
            ...jestGlobal,
            'runner/node-test/keeper': 'src/runner/node-test/keeper.ts',
            'cli/main': 'src/cli/main.ts',
          },
          format: 'esm',
          // There is no `test` without `node:`.
          removeNodeProtocol: false,
          target,
          // Used from the sources only, where the program below is not built yet.
          external: ['esbuild'],
        },
        // In a file of its own, and the ESM only entries left out: splitting would turn the drivers' `import()` into
        // `require`.
        {
          entry: {
            ...index,
            ...jestGlobal,
            ...jestWorker,
            'runner/node-test/index': 'src/runner/node-test/require.ts',
          },
          format: 'cjs',
          target,
          shims: true,
          splitting: false,
        },
        { ...inRealm, entry: { ...jestIndex, ...jestReset }, format: 'esm' },
        { ...inRealmCjs, entry: jestIndex },
        // `require` cannot wait for a module: jest 30 waits for the function that it gets.
        {
          ...inRealmCjs,
          entry: { 'runner/jest/reset': 'src/runner/jest/setup.ts' },
          footer: { js: 'module.exports = module.exports.default' },
        },
        // What a report of `afresh bench` runs in a browser; it is read as text.
        {
          entry: { 'bench/report-client': 'src/bench/report/client/main.ts' },
          format: 'iife',
          platform: 'browser',
          target: 'es2022',
          minify: true,
          outExtension: () => ({ js: '.js' }),
        },
      ],
)
