import { defineConfig } from 'afresh'

export default defineConfig({
  server: process.env.AFRESH_TEST_SERVER ?? 'embedded',
  migrate: 'db/schema.sql',
  fixtures: 'db/seed.sql',
  fixtureSets: { more: 'db/more/*.csv' },
})
