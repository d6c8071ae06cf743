import { defineConfig } from 'tsup'

const index = { index: 'src/index.ts' }
const runners = {
  'runner/vitest/index': 'src/runner/vitest/index.ts',
  'runner/vitest/global-setup': 'src/runner/vitest/global-setup.ts',
  'runner/vitest/reset': 'src/runner/vitest/reset.ts',
}
const target = 'node20'

export default defineConfig([
  { entry: { ...index, ...runners, 'cli/main': 'src/cli/main.ts' }, format: 'esm', target },
  // Apart from the entries that are ESM only, and in one file: splitting would turn the drivers' `import()` into
  // `require`.
  { entry: index, format: 'cjs', target, shims: true, splitting: false },
  // All types in one go, which takes the most time. tsup sets `baseUrl`, which TypeScript 6 warns of.
  {
    entry: { ...index, ...runners },
    format: ['esm', 'cjs'],
    target,
    dts: { only: true, compilerOptions: { ignoreDeprecations: '6.0' } },
  },
])
