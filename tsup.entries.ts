/** What package.json exports. */
export const index = { index: 'src/index.ts' }

/** ESM only. */
export const runners = {
  'runner/vitest/index': 'src/runner/vitest/index.ts',
  'runner/vitest/global-setup': 'src/runner/vitest/global-setup.ts',
  'runner/vitest/reset': 'src/runner/vitest/reset.ts',
}

export const target = 'node20'
