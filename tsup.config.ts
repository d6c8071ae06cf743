import { defineConfig } from 'tsup'

const shared = {
  target: 'node20',
  // tsup sets `baseUrl`, which TypeScript 6 warns of.
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
} as const

export default defineConfig([
  {
    ...shared,
    entry: {
      index: 'src/index.ts',
      'cli/main': 'src/cli/main.ts',
      'runner/vitest/index': 'src/runner/vitest/index.ts',
      'runner/vitest/global-setup': 'src/runner/vitest/global-setup.ts',
      'runner/vitest/reset': 'src/runner/vitest/reset.ts',
    },
    format: 'esm',
  },
  // Apart from the others, which are ESM only, and in one file: splitting would turn the drivers' `import()` into
  // `require`.
  { ...shared, entry: { index: 'src/index.ts' }, format: 'cjs', shims: true, splitting: false },
])
