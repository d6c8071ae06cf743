import { defineConfig } from 'afresh'

export default defineConfig({
  server: process.env.AFRESH_TEST_SERVER ?? 'embedded',
  migrate: 'db/schema.sql',
  fixtures: 'db/seed.sql',
  writes: process.env.AFRESH_TEST_WRITES,
})
