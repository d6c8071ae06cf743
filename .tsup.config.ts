import { defineConfig } from 'tsup'

/** What package.json exports. */
const index = { index: 'src/index.ts' }
/** ESM only. */
const runners = {
  'runner/vitest/index': 'src/runner/vitest/index.ts',
  'runner/vitest/global-setup': 'src/runner/vitest/global-setup.ts',
  'runner/vitest/reset': 'src/runner/vitest/reset.ts',
  'runner/vitest/runner': 'src/runner/vitest/runner.ts',
  'runner/node-test/index': 'src/runner/node-test/index.ts',
  'runner/node-test/keeper': 'src/runner/node-test/keeper.ts',
  'runner/vitest/reporter': 'src/runner/vitest/reporter.ts',
}
/** What CommonJS finds of a runner that is loaded beforehand. */
const accessors = { 'runner/node-test/access': 'src/runner/node-test/access.ts' }
const target = 'node20'

// The types (`--env.WHAT types`) are apart from the programs, since they take twenty times as long.
export default defineConfig(({ env }) =>
  env?.WHAT === 'types'
    ? {
        entry: { ...index, ...runners, ...accessors },
        format: ['esm', 'cjs'],
        target,
        // tsup sets `baseUrl`, which TypeScript 6 warns of.
        dts: { only: true, compilerOptions: { ignoreDeprecations: '6.0' } },
      }
    : [
        {
          entry: { ...index, ...runners, 'cli/main': 'src/cli/main.ts' },
          format: 'esm',
          // There is no `test` without `node:`.
          removeNodeProtocol: false,
          target,
          // Used from the sources only, where the program below is not built yet.
          external: ['esbuild'],
        },
        // In a file of its own, and the ESM only entries left out: splitting would turn the drivers' `import()` into
        // `require`.
        { entry: { ...index, ...accessors }, format: 'cjs', target, shims: true, splitting: false },
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
