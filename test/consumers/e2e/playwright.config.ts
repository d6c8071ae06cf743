import { defineConfig } from '@playwright/test'
import { type DatabaseOptions, webServer } from 'afresh/playwright'

// Of the runner; the workers inherit it, and declare the same tests in the same order.
process.env.SEED ??= String(Date.now() % 2 ** 31)

const command = 'node app/server.mjs'
const isShared = process.env.ONE_APPLICATION === '1'
const port = process.env.APPLICATION_PORT ?? '3123'
const url = `http://localhost:${port}`

export default defineConfig<DatabaseOptions>({
  testDir: process.env.TESTS ?? 'tests',
  fullyParallel: true,
  workers: Number(process.env.WORKERS ?? 2),
  reporter: 'list',
  outputDir: 'results',
  globalSetup: 'afresh/playwright/global-setup',
  use: {
    launchOptions: {
      executablePath: process.env.CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
    },
    ...(isShared ? { baseURL: url } : { appServer: { command, path: '/health' } }),
  },
  ...(isShared && { webServer: webServer({ command, url: `${url}/health`, env: { PORT: port } }) }),
})
