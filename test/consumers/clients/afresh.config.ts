import { defineConfig } from 'afresh'

const { AFRESH_TEST_SERVER: server = 'embedded' } = process.env

export default defineConfig({
  server,
  migrate: /^(mysql|mariadb)/.test(server) ? 'db/mysql.sql' : 'db/postgres.sql',
})
