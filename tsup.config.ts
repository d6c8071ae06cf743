import { defineConfig } from 'tsup'
import { index, runners, target } from './tsup.entries.ts'

export default defineConfig([
  { entry: { ...index, ...runners, 'cli/main': 'src/cli/main.ts' }, format: 'esm', target },
  // Apart from the entries that are ESM only, and in one file: splitting would turn the drivers' `import()` into
  // `require`.
  { entry: index, format: 'cjs', target, shims: true, splitting: false },
])
