import { defineConfig } from 'afresh'

export default defineConfig({
  server: process.env.AFRESH_TEST_SERVER ?? 'embedded',
  migrate: 'db/schema.sql',
  fixtures: process.env.AFRESH_TEST_FIXTURES ?? 'db/seed.sql',
  leaks: process.env.AFRESH_TEST_LEAKS,
  writes: process.env.AFRESH_TEST_WRITES,
})
