import { defineConfig } from '@playwright/test'
import type { DatabaseOptions } from 'afresh/playwright'

export default defineConfig<DatabaseOptions>({
  testDir: '../tests',
  workers: 1,
  reporter: 'list',
  outputDir: '../results',
  use: { appServer: { command: 'echo out of order; exit 3' } },
})
