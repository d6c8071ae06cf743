import { defineConfig } from 'afresh'

export default defineConfig({
  server: process.env.AFRESH_TEST_SERVER ?? 'embedded',
  migrate: 'db/schema.sql',
  fixtures: 'db/seed.sql',
  fixtureSets: { more: 'db/more/*.csv' },
  leaks: process.env.AFRESH_TEST_LEAKS as 'end' | undefined,
  writes: process.env.AFRESH_TEST_WRITES,
})
