import { expect, it } from 'vitest'
import { ask } from '../support/ask.ts'
import { describeOn } from '../support/servers.ts'
import { withLease } from './support.ts'

const CONTROL = "default_version = '1'\\nrelocatable = true"
const SCRIPT =
  'CREATE TABLE jobs (id int PRIMARY KEY, command text); CREATE TABLE internals (id int PRIMARY KEY); ' +
  "SELECT pg_catalog.pg_extension_config_dump('jobs', '');"

/** Like the configuration tables of pg_cron and pg_partman. `extension_control_path` needs PostgreSQL 18. */
describeOn('postgres:18', (server) => {
  it('configuration tables of an extension are reset, and its other tables are left alone', async () => {
    const write = (name: string, text: string) =>
      `COPY (SELECT 1) TO PROGRAM $p$mkdir -p /tmp/afresh_ext/extension && printf '%b' "${text}" > /tmp/afresh_ext/extension/${name}$p$`
    await ask(server, `${write('afresh_jobs.control', CONTROL)}; ${write('afresh_jobs--1.sql', SCRIPT)}`)
    await withLease(
      server,
      `SET extension_control_path = '/tmp/afresh_ext'; CREATE EXTENSION afresh_jobs; INSERT INTO jobs VALUES (1, 'baseline')`,
      {},
      async (database, run) => {
        await run(
          "INSERT INTO jobs VALUES (2, 'of a test'); DELETE FROM jobs WHERE id = 1; INSERT INTO internals VALUES (1)",
        )
        expect((await database.reset()).dirty).toEqual(['jobs'])
        expect(await run('SELECT * FROM jobs')).toEqual([{ id: 1, command: 'baseline' }])
        expect(await run('SELECT * FROM internals')).toEqual([{ id: 1 }])
        expect(await database.verify()).toEqual([])
        expect((await database.reset()).dirty).toEqual([])
      },
    )
  })
})
