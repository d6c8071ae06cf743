import { describe, expect, it } from 'vitest'
import { ask } from '../support/ask.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'
import { adoptHere, withAttached, withLease } from './support.ts'

const DOCUMENTS = `CREATE TABLE own (FTS_DOC_ID BIGINT UNSIGNED AUTO_INCREMENT NOT NULL PRIMARY KEY, t text, FULLTEXT (t));
  INSERT INTO own (t) VALUES ('alpha'), ('beta');
  CREATE TABLE keyed (id int PRIMARY KEY, FTS_DOC_ID BIGINT UNSIGNED NOT NULL, t text,
    UNIQUE KEY FTS_DOC_ID_INDEX (FTS_DOC_ID), FULLTEXT (t));
  INSERT INTO keyed VALUES (2, 10, 'alpha'); INSERT INTO keyed VALUES (1, 20, 'beta');
  CREATE TABLE blank (FTS_DOC_ID BIGINT UNSIGNED AUTO_INCREMENT NOT NULL PRIMARY KEY, t text, FULLTEXT (t))`

/** The server refuses each write unless the previous ids are those of the baseline. */
const WRITES = [
  "INSERT INTO own (t) VALUES ('gamma'); INSERT INTO keyed VALUES (3, 30, 'gamma'); INSERT INTO blank (t) VALUES ('x')",
  'DELETE FROM own; DELETE FROM keyed',
  'DELETE FROM keyed WHERE id = 2',
  "INSERT INTO own (t) VALUES ('gamma'); DELETE FROM own WHERE FTS_DOC_ID = 3",
  "UPDATE keyed SET t = 'other', FTS_DOC_ID = 40 WHERE id = 1",
  "INSERT INTO own VALUES (500, 'gamma'); INSERT INTO blank VALUES (9, 'x')",
]

const FOUND = `SELECT (SELECT GROUP_CONCAT(FTS_DOC_ID) FROM own WHERE MATCH (t) AGAINST ('alpha beta gamma')) AS own,
  (SELECT GROUP_CONCAT(id ORDER BY id) FROM keyed WHERE MATCH (t) AGAINST ('alpha beta gamma')) AS keyed`

for (const id of ['mysql:9.7', 'mariadb:11.8-stock'] as const) {
  describeOn(id, (server) => {
    describe.each(['auto', 'scan'] as const)('with detector %s', (detector) => {
      it('restores a table with its own FTS_DOC_ID column to the ids of the baseline', () =>
        withLease(server, DOCUMENTS, { detector }, async (database, run) => {
          for (const write of [...WRITES, ...WRITES]) {
            await run(write)
            const report = await database.reset()
            expect(report.notes, write).toEqual([])
            expect(await database.verify(), write).toEqual([])
            expect((await database.reset()).dirty, write).toEqual([])
            expect(await run(FOUND), write).toEqual([{ own: '1,2', keyed: '1,2' }])
          }
        }))

      it('restores a dropped, merged or exchanged partition with its rows', () =>
        withLease(
          server,
          `CREATE TABLE parted (id int PRIMARY KEY, v int) PARTITION BY RANGE (id) (PARTITION a VALUES LESS THAN (10),
             PARTITION b VALUES LESS THAN (20), PARTITION c VALUES LESS THAN MAXVALUE);
           INSERT INTO parted VALUES (1, 1), (11, 1), (21, 1); CREATE TABLE apart (id int PRIMARY KEY, v int)`,
          { detector },
          async (database, run) => {
            for (const [write, isMadeAgain] of [
              ['ALTER TABLE parted DROP PARTITION a', true],
              ['ALTER TABLE parted EXCHANGE PARTITION a WITH TABLE apart', false],
              [
                'ALTER TABLE parted REORGANIZE PARTITION a, b INTO (PARTITION ab VALUES LESS THAN (20))',
                true,
              ],
              ['ALTER TABLE parted TRUNCATE PARTITION b', false],
            ] as const) {
              await run(write)
              const report = await database.reset()
              expect(report.recreated === true, write).toBe(isMadeAgain)
              expect(report.notes, write).toHaveLength(isMadeAgain ? 1 : 0)
              expect(await run('SELECT id FROM parted PARTITION (a)'), write).toEqual([{ id: 1 }])
              expect(await run('SELECT COUNT(*) AS n FROM parted'), write).toEqual([{ n: 3 }])
              expect(await run('SELECT * FROM apart'), write).toEqual([])
              expect(await database.verify(), write).toEqual([])
            }
          },
        ))
    })

    it('an auto-increment FTS_DOC_ID is refused with sequences "keep"', () =>
      expect(withLease(server, DOCUMENTS, { sequences: 'keep' }, async () => {})).rejects.toMatchObject({
        code: 'plan',
        message: expect.stringMatching(/"blank" has a column FTS_DOC_ID[\s\S]*"own" has/),
      }))
  })
}

async function refusesArchives(server: ServerAtHand): Promise<void> {
  const schema = `CREATE TABLE log (id int AUTO_INCREMENT PRIMARY KEY, t text) ENGINE=ARCHIVE;
    INSERT INTO log (t) VALUES ('a'); CREATE TABLE other (id int PRIMARY KEY)`
  const refused = { code: 'plan', message: expect.stringMatching(/"log" is an ARCHIVE table[\s\S]*`keep`/) }
  await expect(withLease(server, schema, {}, async () => {})).rejects.toMatchObject(refused)
  await expect(withAttached(server, schema, {}, async () => {}, adoptHere)).rejects.toMatchObject(refused)
  for (const using of [withLease, withAttached] as const) {
    await using(
      server,
      schema,
      { keep: ['log'] },
      async (database, run) => {
        await run("INSERT INTO log (t) VALUES ('b'); INSERT INTO other VALUES (1)")
        expect((await database.reset()).dirty).toEqual(['other'])
        expect(await run('SELECT t FROM log')).toEqual([{ t: 'a' }, { t: 'b' }])
        expect(await database.verify()).toEqual([])
      },
      adoptHere,
    )
  }
}

describeOn('mysql:9.7', (server) => {
  it('an ARCHIVE table is refused by name if it would be reset, and left alone if it is kept', () =>
    refusesArchives(server))
})

describeOn('mariadb:11.8', (server) => {
  it('an ARCHIVE table is refused by name if it would be reset, and left alone if it is kept', async () => {
    await ask(server, "INSTALL SONAME 'ha_archive'")
    await refusesArchives(server).finally(() => ask(server, "UNINSTALL SONAME 'ha_archive'"))
  })
})
