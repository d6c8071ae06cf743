import { defineConfig } from 'tsup'
import { index, runners, target } from './tsup.entries.ts'

// Apart from the programs, since it takes twenty times as long.
export default defineConfig({
  entry: { ...index, ...runners },
  format: ['esm', 'cjs'],
  target,
  // tsup sets `baseUrl`, which TypeScript 6 warns of.
  dts: { only: true, compilerOptions: { ignoreDeprecations: '6.0' } },
})
