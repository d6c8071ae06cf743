import { describe, expect, it } from 'vitest'
import { ask } from '../support/ask.ts'
import { describeOn, type ServerId } from '../support/servers.ts'
import { withLease } from './support.ts'

/** Details that neither rows nor plans depend on, but that later tests would see. */
const SCHEMA = `
  CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, v int COMMENT 'vee', note varchar(20), KEY by_note (note));
  INSERT INTO t (v) VALUES (1);
  CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION low VALUES LESS THAN (10));
  CREATE TRIGGER stamp BEFORE INSERT ON t FOR EACH ROW SET NEW.note = 'x';
  CREATE VIEW seen AS SELECT id FROM t;
  CREATE FUNCTION doubled(n int) RETURNS int DETERMINISTIC RETURN 2 * n;
  CREATE EVENT later ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01' DO DELETE FROM t`

type Change = readonly [sql: string, named: RegExp]

const CHANGES: readonly Change[] = [
  ["ALTER TABLE t MODIFY v int COMMENT 'vee '", /column "v" has changed/],
  ["ALTER TABLE t DROP KEY by_note, ADD KEY by_note (note) COMMENT 'mine'", /index "by_note" has changed/],
  ["ALTER FUNCTION doubled COMMENT 'mine'", /function "doubled" has changed/],
  ["ALTER EVENT later COMMENT 'mine'", /event "later" has changed/],
  [
    "ALTER TABLE parted REORGANIZE PARTITION low INTO (PARTITION low VALUES LESS THAN (10) COMMENT 'mine')",
    /partition "low" has changed/,
  ],
  [
    "SET collation_connection = utf8mb4_bin; DROP TRIGGER stamp; CREATE TRIGGER stamp BEFORE INSERT ON t FOR EACH ROW SET NEW.note = 'x'",
    /trigger "stamp" has changed/,
  ],
  [
    'SET collation_connection = utf8mb4_bin; CREATE OR REPLACE VIEW seen AS SELECT id FROM t',
    /view "seen" has changed/,
  ],
  [
    'SET collation_connection = utf8mb4_bin; DROP FUNCTION doubled; CREATE FUNCTION doubled(n int) RETURNS int DETERMINISTIC RETURN 2 * n',
    /function "doubled" has changed/,
  ],
  ['ALTER TABLE t DISCARD TABLESPACE', /discarded/i],
]

const MARIADB_SCHEMA = `${SCHEMA};
  CREATE SEQUENCE numbers START WITH 100 INCREMENT BY 5 MAXVALUE 10000 CACHE 10 CYCLE;
  CREATE TABLE booked (room int, s date, e date, PERIOD FOR stay (s, e), UNIQUE KEY once (room, stay WITHOUT OVERLAPS))`

const MARIADB_CHANGES: readonly Change[] = [
  ...['INCREMENT BY 7', 'MINVALUE 2', 'NO MAXVALUE', 'START WITH 105', 'NOCACHE', 'NOCYCLE'].map(
    (what): Change => [`ALTER SEQUENCE numbers ${what}`, /sequence "numbers" has changed/],
  ),
  ["ALTER TABLE numbers COMMENT 'mine'", /sequence "numbers" has changed/],
  ['DROP SEQUENCE numbers', /sequence "numbers" is gone/],
  ['RENAME TABLE numbers TO figures', /sequence "numbers" is gone/],
  ['ALTER ALGORITHM = TEMPTABLE VIEW seen AS SELECT id FROM t', /view "seen" has changed/],
  ["ALTER DATABASE COMMENT 'mine'", /the database has changed/],
]

/** The server reports these from 11.4 on. */
const PERIODS: readonly Change[] = [
  [
    'ALTER TABLE booked DROP KEY once; ALTER TABLE booked DROP PERIOD FOR stay; ALTER TABLE booked ADD CONSTRAINT stay CHECK (s < e); ALTER TABLE booked ADD UNIQUE once (room, e, s)',
    /period "stay" is gone/,
  ],
]

const ON: Partial<Record<ServerId, { schema: string; changes: readonly Change[] }>> = {
  'mysql:9.7': { schema: SCHEMA, changes: CHANGES },
  'mariadb:11.8': { schema: MARIADB_SCHEMA, changes: [...CHANGES, ...MARIADB_CHANGES, ...PERIODS] },
  'mariadb:10.11': { schema: MARIADB_SCHEMA, changes: MARIADB_CHANGES },
}

for (const [id, { schema, changes }] of Object.entries(ON)) {
  describeOn(id as ServerId, (server) => {
    describe('a detail of a definition that a test changed', () => {
      it('recreates the database in that reset, and gives the reason', () =>
        withLease(server, schema, {}, async (database, run) => {
          for (const [sql, named] of changes) {
            await run(sql)
            // Rows that cannot be read cannot be compared.
            if (!sql.includes('DISCARD')) expect(await database.verify(), sql).not.toEqual([])
            const report = await database.reset()
            expect(report, sql).toMatchObject({ recreated: true, notes: [expect.stringMatching(named)] })
            expect((await database.reset()).notes, sql).toEqual([])
            expect(await run('SELECT v FROM t'), sql).toEqual([{ v: 1 }])
            expect(await database.verify(), sql).toEqual([])
          }
        }))

      it('is named by verify(), unlike a new table', () =>
        withLease(server, schema, {}, async (database, run) => {
          await run('CREATE TABLE more (id int)')
          expect(await database.verify()).toEqual([])
          await run('ALTER TABLE t ADD COLUMN w int')
          expect(await database.verify()).toContainEqual({ subject: '"t"', difference: expect.any(String) })
          await run('DROP TABLE t')
          expect(await database.verify()).toContainEqual({ subject: '"t"', difference: 'is gone' })
        }))
    })
  })
}

for (const id of ['mariadb:11.8', 'mariadb:10.11'] as const) {
  describeOn(id, (server) => {
    it('gives a clone the comment of its template', () =>
      withLease(
        server,
        "ALTER DATABASE COMMENT 'of the ''shop'''; CREATE TABLE t (id int)",
        {},
        async ({ name }) => {
          const [row] = await ask(server, `SHOW CREATE DATABASE \`${name}\``)
          expect(row?.['Create Database']).toContain("COMMENT 'of the ''shop'''")
        },
      ))
  })
}
