import { defineConfig, type UserConfig } from 'tsdown'

/** What package.json exports. */
const index = { index: 'src/index.ts' }
/** ESM only. */
const runners = {
  'runner/vitest/index': 'src/runner/vitest/index.ts',
  'runner/vitest/global-setup': 'src/runner/vitest/global-setup.ts',
  'runner/vitest/reset': 'src/runner/vitest/reset.ts',
  'runner/vitest/runner': 'src/runner/vitest/runner.ts',
  'runner/vitest/reporter': 'src/runner/vitest/reporter.ts',
  'runner/node-test/global-setup': 'src/runner/node-test/global-setup.ts',
  'runner/worker/index': 'src/runner/worker/index.ts',
}
const nodeTest = { 'runner/node-test/index': 'src/runner/node-test/index.ts' }
/** ESM and CommonJS. */
const bothFormats = {
  'runner/mocha/index': 'src/runner/mocha/index.ts',
  'runner/cypress/index': 'src/runner/cypress/index.ts',
  'runner/playwright/index': 'src/runner/playwright/index.ts',
  'runner/playwright/global-setup': 'src/runner/playwright/global-setup.ts',
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

const shared: UserConfig = {
  platform: 'node',
  target: 'node20.19',
  // package.json has "type": "module": ESM is `.js`.
  fixedExtension: false,
  dts: false,
  clean: false,
  report: false,
  // All that is installed takes at most 8 MB. Functions and classes keep their names, for stack traces.
  minify: {
    compress: false,
    mangle: { toplevel: false, keepNames: true },
    codegen: { removeWhitespace: true },
  },
  failOnWarn: true,
  // `exports.default`, as the types say, also where it is the only export.
  cjsDefault: false,
  // CommonJS is for jest, and for projects that still `require`. How long plugins take is no warning.
  checks: { legacyCjs: false, pluginTimings: false },
  // Used from the sources only, where the report's program is not built yet.
  external: ['rolldown'],
  // Nothing but what THIRD-PARTY-NOTICES.txt names.
  inlineOnly: ['echarts', 'zrender', 'tslib', 'zod'],
}

/** Each in one file, since it looks for `worker.cjs` beside itself; jest gives the globals. */
const inRealm: UserConfig = { ...shared, external: ['@jest/globals'] }
const inRealmCjs: UserConfig = {
  ...inRealm,
  format: 'cjs',
  // The bundler's own way asks for `node:url`, which a test may have mocked.
  define: { 'import.meta.url': '__filename' },
}

const cliMain = { 'cli/main': 'src/cli/main.ts' }
/** What a report of `afresh bench` runs in a browser; it is read as text. */
const reportClient: UserConfig = {
  ...shared,
  entry: { 'bench/report-client': 'src/bench/report/client/main.ts' },
  format: 'iife',
  platform: 'browser',
  target: 'es2022',
  minify: true,
  outputOptions: { entryFileNames: '[name].js', exports: 'auto' },
}

/** What `afresh` on the command line needs, for tests. */
export const cliPrograms: readonly UserConfig[] = [{ ...shared, entry: cliMain, format: 'esm' }, reportClient]

export const programs: readonly UserConfig[] = [
  {
    ...shared,
    entry: {
      ...index,
      ...runners,
      ...nodeTest,
      ...bothFormats,
      ...jestGlobal,
      'runner/core/harness-process/main': 'src/runner/core/harness-process/main.ts',
      'runner/core/app/launcher': 'src/runner/core/app/launcher.ts',
      ...cliMain,
    },
    format: 'esm',
  },
  {
    ...shared,
    entry: {
      ...index,
      ...bothFormats,
      ...jestGlobal,
      ...jestWorker,
      'runner/node-test/index': 'src/runner/node-test/require.ts',
    },
    format: 'cjs',
  },
  { ...inRealm, entry: jestIndex, format: 'esm' },
  { ...inRealm, entry: jestReset, format: 'esm' },
  { ...inRealmCjs, entry: jestIndex },
  // `require` cannot wait for a module: jest 30 waits for the function that it gets.
  {
    ...inRealmCjs,
    entry: { 'runner/jest/reset': 'src/runner/jest/setup.ts' },
    footer: { js: 'module.exports = module.exports.default' },
  },
  reportClient,
]

/** All entries of a format at once: a class with private members is one type, whichever entry it is imported from. */
const types: UserConfig[] = [
  {
    ...shared,
    entry: { ...index, ...runners, ...nodeTest, ...bothFormats, ...jestGlobal, ...jestIndex, ...jestReset },
    format: 'esm',
    dts: { emitDtsOnly: true },
  },
  {
    ...shared,
    entry: { ...index, ...nodeTest, ...bothFormats, ...jestGlobal, ...jestIndex, ...jestReset },
    // As CommonJS it could not be built: two of the entries wait at their top, which types do not show.
    format: 'esm',
    outExtensions: () => ({ dts: '.d.cts' }),
    dts: { emitDtsOnly: true },
  },
]

// The types (`--env.TYPES`) are apart from the programs, since they take many times as long.
export default defineConfig(({ env }) => [...(env?.TYPES ? types : programs)])
