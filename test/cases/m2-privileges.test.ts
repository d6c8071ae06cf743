import { afterAll, describe, expect, it } from 'vitest'
import { attach } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'
import { withLease } from './support.ts'

const SCHEMA = `
  CREATE TABLE t (id int PRIMARY KEY, v int);
  INSERT INTO t VALUES (1, 1);
  CREATE FUNCTION doubled(n int) RETURNS int DETERMINISTIC RETURN 2 * n`

const READER = "'afresh_reader'@'%'"

/** Sorted, since the servers do not guarantee an order. */
async function grantsTo(server: ServerAtHand, account = READER): Promise<string[]> {
  const rows = await ask(server, `SHOW GRANTS FOR ${account}`)
  return rows
    .flatMap((row) => Object.values(row).map(String))
    .filter((grant) => !/ ON \*\.\* /.test(grant))
    .sort()
}

for (const id of ['mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    describe('privileges that a test changed', () => {
      const recreateReader = () => ask(server, `DROP USER IF EXISTS ${READER}; CREATE USER ${READER}`)
      afterAll(() => ask(server, `DROP USER IF EXISTS ${READER}`))

      it.each(['auto', 'scan'] as const)('are revoked, by name, with detector %s', async (detector) => {
        await recreateReader()
        await withLease(server, SCHEMA, { detector }, async (database, run) => {
          const on = (thing: string) => `\`${database.name}\`.${thing}`
          for (const granted of [
            `SELECT ON ${on('*')}`,
            `ALL ON ${on('*')}`,
            `INSERT, UPDATE ON ${on('t')}`,
            `SELECT (v), UPDATE (id, v) ON ${on('t')}`,
            `EXECUTE ON FUNCTION ${on('doubled')}`,
          ]) {
            for (const option of ['', ' WITH GRANT OPTION']) {
              await run(`GRANT ${granted} TO ${READER}${option}; UPDATE t SET v = 9`)
              const { notes, recreated } = await database.reset()
              expect(notes, granted).toEqual([
                expect.stringMatching(/changed privileges.* put back: REVOKE /),
              ])
              expect(recreated).toBe(false)
              expect(await grantsTo(server), granted).toEqual([])
              expect((await database.reset()).notes).toEqual([])
              expect(await run('SELECT v FROM t')).toEqual([{ v: 1 }])
            }
          }
        })
      })

      it('are revoked too when the database is recreated', async () => {
        await recreateReader()
        await withLease(server, SCHEMA, {}, async (database, run) => {
          await run(`GRANT SELECT ON \`${database.name}\`.* TO ${READER}; ALTER TABLE t ADD more int`)
          expect((await database.reset()).recreated).toBe(true)
          expect(await grantsTo(server)).toEqual([])
        })
      })

      it('are granted again to accounts that lost them', async () => {
        await recreateReader()
        await withDatabaseOn(server, 'afresh_test_privileges', async (own) => {
          await ask(own, SCHEMA.replace(/INSERT.*\n/, ''))
          const granted = [
            `SELECT ON \`afresh\\_test\\_privileges\`.* TO ${READER} WITH GRANT OPTION`,
            `UPDATE (v), INSERT ON afresh_test_privileges.t TO ${READER}`,
            `EXECUTE ON FUNCTION afresh_test_privileges.doubled TO ${READER}`,
          ]
          for (const grant of granted) await ask(own, `GRANT ${grant}`)
          const before = await grantsTo(server)
          const database = await attach(own.url)
          for (const sql of [
            `REVOKE GRANT OPTION ON \`afresh\\_test\\_privileges\`.* FROM ${READER}`,
            `REVOKE SELECT ON \`afresh\\_test\\_privileges\`.* FROM ${READER}`,
            `REVOKE UPDATE (v) ON afresh_test_privileges.t FROM ${READER}`,
            `REVOKE EXECUTE ON FUNCTION afresh_test_privileges.doubled FROM ${READER}`,
            `REVOKE ALL PRIVILEGES, GRANT OPTION FROM ${READER}`,
          ]) {
            await ask(own, sql)
            const { notes } = await database.reset()
            expect(notes, sql).toEqual([expect.stringMatching(/changed privileges.* put back: GRANT /)])
            expect(await grantsTo(server), sql).toEqual(before)
            expect((await database.reset()).notes, sql).toEqual([])
          }
          await ask(own, `DROP USER ${READER}`)
          const { notes } = await database.reset()
          expect(notes[0]).toMatch(/could not put back \(.*To do so: GRANT /)
          const accounts = await ask(server, "SELECT user FROM mysql.user WHERE user = 'afresh_reader'")
          expect(accounts).toEqual([])
          await database.release()
        })
      })
    })
  })
}

describeOn('mysql:9.7', (server) => {
  describe('a database that a test made read-only', () => {
    it.each(['auto', 'scan'] as const)('is made writable again, with detector %s', (detector) =>
      withLease(server, SCHEMA, { detector }, async (database, run) => {
        const readOnly = () => ask(server, `ALTER DATABASE \`${database.name}\` READ ONLY = 1`)
        await run('UPDATE t SET v = 2')
        await readOnly()
        expect((await database.reset()).notes).toEqual([expect.stringMatching(/made the database read-only/)])
        expect(await run('SELECT v FROM t')).toEqual([{ v: 1 }])
        await readOnly()
        expect((await database.reset()).notes).toEqual([expect.stringMatching(/made the database read-only/)])
        expect((await database.reset()).notes).toEqual([])
        await run('ALTER TABLE t ADD more int')
        await readOnly()
        expect((await database.reset()).recreated).toBe(true)
        expect(await run('SELECT * FROM t')).toEqual([{ id: 1, v: 1 }])
        await readOnly()
      }),
    )
  })
})
