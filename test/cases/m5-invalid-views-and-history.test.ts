import { describe, expect, it } from 'vitest'
import { runDoctor } from '../../src/harness/doctor.ts'
import { type AttachOptions, attach, createHarness, existing, planReset } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { describeOn } from '../support/servers.ts'
import { adoptHere, withAttached, withLease } from './support.ts'

const INVALID: readonly (readonly [what: string, sql: string, isLeftOut: boolean])[] = [
  [
    'whose table was dropped',
    'CREATE TABLE t (id int); CREATE VIEW w AS SELECT id FROM t; DROP TABLE t',
    true,
  ],
  [
    'whose column was dropped',
    'CREATE TABLE t (id int, v int); CREATE VIEW w AS SELECT v FROM t; ALTER TABLE t DROP COLUMN v',
    true,
  ],
  [
    'whose view was dropped',
    'CREATE VIEW t AS SELECT id FROM stays; CREATE VIEW w AS SELECT id FROM t; DROP VIEW t',
    true,
  ],
  [
    'whose function was dropped',
    'CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1; CREATE VIEW w AS SELECT f() AS n; DROP FUNCTION f',
    true,
  ],
  [
    'whose database was dropped',
    `CREATE DATABASE afresh_elsewhere; CREATE TABLE afresh_elsewhere.t (id int);
     CREATE VIEW w AS SELECT id FROM afresh_elsewhere.t; DROP DATABASE afresh_elsewhere`,
    true,
  ],
  ['whose definer is missing', 'CREATE DEFINER = ghost@nowhere VIEW w AS SELECT id FROM stays', false],
]

const VIEWS =
  'SELECT table_name AS name FROM information_schema.views WHERE table_schema = DATABASE() ORDER BY 1'

for (const id of ['mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    describe.each(INVALID)('a view %s', (_, sql, isLeftOut) => {
      const schema = `CREATE TABLE stays (id int PRIMARY KEY); INSERT INTO stays VALUES (1); ${sql};
        CREATE VIEW fine AS SELECT id FROM stays; CREATE VIEW above AS SELECT * FROM fine`

      it('does not prevent a lease: an unusable view is left out, and the harness warns', async () => {
        await using harness = await createHarness({
          server: existing(server.url),
          // The account of `url` may not create another database.
          migrate: async ({ url }) => {
            await ask({ ...server, url: server.url.replace(/\/[^/]*$/, new URL(url).pathname) }, schema)
          },
        })
        expect(harness.warnings).toEqual(
          isLeftOut ? [expect.stringMatching(/without the view "w" \(.+\): drop it in the migrations/)] : [],
        )
        await using database = await harness.lease()
        const inside = { ...server, url: database.url }
        const names = async () => (await ask(inside, VIEWS)).map(({ name }) => name)
        const expected = isLeftOut ? ['above', 'fine'] : ['above', 'fine', 'w']
        expect(await names()).toEqual(expected)
        await ask(inside, 'INSERT INTO stays VALUES (2); DROP VIEW above')
        expect((await database.reset()).recreated).toBe(true)
        expect(await names()).toEqual(expected)
        expect(await ask(inside, 'SELECT id FROM above')).toEqual([{ id: 1 }])
        expect(await database.verify()).toEqual([])
      })

      it('does not prevent attach, plan, doctor or verify', () =>
        withDatabaseOn(server, `cases_${process.env.VITEST_POOL_ID}`, async (serverAtHand) => {
          await ask(serverAtHand, schema)
          await adoptHere(serverAtHand.url)
          expect((await planReset(serverAtHand.url)).tablesWithRows).toEqual(['stays'])
          expect(JSON.stringify(await runDoctor(process.cwd(), serverAtHand.url))).toContain(
            server.engine === 'mysql' ? 'MySQL' : 'MariaDB',
          )
          await using database = await attach(serverAtHand.url)
          await ask(serverAtHand, 'INSERT INTO stays VALUES (2)')
          expect((await database.reset()).dirty).toEqual(['stays'])
          expect(await database.verify()).toEqual([])
        }))
    })
  })
}

for (const id of ['mariadb:11.8', 'mariadb:10.11'] as const) {
  describeOn(id, (server) => {
    describe('history of a system-versioned table in the baseline', () => {
      const schema = `CREATE TABLE prices (id int PRIMARY KEY, v int) WITH SYSTEM VERSIONING;
        INSERT INTO prices VALUES (1, 1); UPDATE prices SET v = 2; UPDATE prices SET v = 3;
        CREATE TABLE emptied (id int PRIMARY KEY) WITH SYSTEM VERSIONING; INSERT INTO emptied VALUES (1); DELETE FROM emptied;
        CREATE TABLE fresh (id int PRIMARY KEY) WITH SYSTEM VERSIONING; INSERT INTO fresh VALUES (1)`
      const ways = [
        (sql: string, options: AttachOptions, body: Parameters<typeof withLease>[3]) =>
          withLease(server, sql, options, body),
        (sql: string, options: AttachOptions, body: Parameters<typeof withLease>[3]) =>
          withAttached(server, sql, options, body, adoptHere),
      ]

      it.each(ways)('is refused by name at the start', async (start) => {
        await expect(start(schema, {}, async () => {})).rejects.toMatchObject({
          code: 'plan',
          message: expect.stringMatching(/"emptied" \(1 row\), "prices" \(2 rows\)[\s\S]*DELETE HISTORY/),
        })
      })

      it.each(ways)('may be deleted beforehand; then resets delete the history that tests leave', (start) =>
        start(
          `${schema}; DELETE HISTORY FROM prices; DELETE HISTORY FROM emptied`,
          {},
          async (database, run) => {
            await run('UPDATE prices SET v = 4; INSERT INTO emptied VALUES (1); DELETE FROM emptied')
            await database.reset()
            expect(await database.verify()).toEqual([])
            expect(await run('SELECT id, v FROM prices FOR SYSTEM_TIME ALL')).toEqual([{ id: 1, v: 3 }])
            expect(await run('SELECT id FROM emptied FOR SYSTEM_TIME ALL')).toEqual([])
          },
        ),
      )
    })
  })
}
