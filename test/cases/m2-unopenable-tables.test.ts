import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { attach } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { describeOn } from '../support/servers.ts'
import { withLease } from './support.ts'

const run = promisify(execFile)

for (const id of ['mariadb:11.8', 'mariadb:10.11'] as const) {
  describeOn(id, (server) => {
    it("reports the server's reason for a table that cannot be opened, and blames no session", () =>
      withDatabaseOn(server, 'afresh_test_unopenable', async (own) => {
        await ask(
          own,
          'CREATE TABLE below (id int) ENGINE=MyISAM; CREATE TABLE merged (id int) ENGINE=MERGE UNION=(below); DROP TABLE below; FLUSH TABLES',
        )
        await expect(attach(own.url)).rejects.toMatchObject({
          code: 'plan',
          message: expect.stringMatching(/"merged" cannot be opened: Unable to open underlying table/),
        })
        await ask(own, 'DROP TABLE merged')
        await (await attach(own.url)).release()
      }))

    it('recreates the database if a table that a test damaged cannot be opened', () =>
      withLease(
        server,
        'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)',
        {},
        async (database, query) => {
          await query("ALTER TABLE t COMMENT 'written again'; FLUSH TABLES")
          const file = `/var/lib/mysql/${database.name}/t.frm`
          await run('docker', ['exec', server.containerId ?? '', 'sh', '-c', `echo no definition > ${file}`])
          const report = await database.reset()
          expect(report.recreated).toBe(true)
          expect(report.notes).toEqual([expect.stringMatching(/Incorrect information in file/)])
          expect(await query('SELECT id FROM t')).toEqual([{ id: 1 }])
        },
      ))
  })
}

for (const id of ['mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    it('recreates a database whose rows cannot be read, after verify() failed on them', () =>
      withLease(
        server,
        'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)',
        {},
        async (database, query) => {
          await query('ALTER TABLE t DISCARD TABLESPACE')
          await expect(database.verify()).rejects.toMatchObject({ name: 'AfreshError', code: 'server' })
          await database.reset()
          expect(await query('SELECT id FROM t')).toEqual([{ id: 1 }])
          expect(await database.verify()).toEqual([])
        },
      ))
  })
}
