import { describe, expect, it } from 'vitest'
import { attach, createHarness, existing, type TestDatabase } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'

const SERVERS = ['mysql:9.7', 'mysql:9.7-stock', 'mariadb:11.8', 'mariadb:11.8-stock'] as const

const SCHEMA = [
  `CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, v int NOT NULL DEFAULT 5, note varchar(20), KEY by_note (note),
    CONSTRAINT small CHECK (v < 1000))`,
  'INSERT INTO t (v) VALUES (1), (2)',
  'CREATE TABLE log (id int AUTO_INCREMENT PRIMARY KEY, n int)',
  `CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION low VALUES LESS THAN (10), PARTITION high VALUES LESS THAN MAXVALUE)`,
  'INSERT INTO parted VALUES (1), (20)',
  'CREATE TABLE child (id int PRIMARY KEY, t int, KEY by_t (t), CONSTRAINT of_t FOREIGN KEY (t) REFERENCES t (id))',
  'CREATE TRIGGER logged AFTER INSERT ON t FOR EACH ROW INSERT INTO log (n) VALUES (NEW.v)',
  'CREATE VIEW seen AS SELECT id, v FROM t',
  'CREATE FUNCTION doubled(n int) RETURNS int DETERMINISTIC RETURN 2 * n',
] as const

const CHANGES: readonly (readonly [sql: string, named: RegExp])[] = [
  ['CREATE TRIGGER bad BEFORE INSERT ON t FOR EACH ROW SET NEW.v = 777', /trigger "bad".* is new/],
  ['CREATE TRIGGER bad BEFORE DELETE ON log FOR EACH ROW SET @gone = OLD.n', /trigger "bad".* is new/],
  ['DROP TRIGGER logged', /trigger "logged" is gone/],
  [
    'DROP TRIGGER logged; CREATE TRIGGER logged AFTER INSERT ON t FOR EACH ROW SET @n = NEW.v',
    /trigger "logged" has changed/,
  ],
  ['ALTER TABLE t ADD COLUMN more int', /t/],
  ['ALTER TABLE t ALTER v SET DEFAULT 6', /column "v" has changed/],
  ['ALTER TABLE t ALTER v DROP DEFAULT', /column "v" has changed/],
  ['ALTER TABLE t MODIFY v int NULL', /t/],
  ['ALTER TABLE t RENAME COLUMN note TO remark', /t/],
  ['ALTER TABLE t MODIFY note varchar(30)', /t/],
  ['ALTER TABLE t DROP COLUMN note', /t/],
  ['ALTER TABLE t ADD CONSTRAINT positive CHECK (v > 0)', /"positive" is new/],
  ['ALTER TABLE t DROP CONSTRAINT small', /"small" is gone/],
  ['CREATE UNIQUE INDEX only ON t (v)', /index "only" is new/],
  ['DROP INDEX by_note ON t', /index "by_note" is gone/],
  ['ALTER TABLE t ADD UNIQUE KEY only (v)', /index "only" is new/],
  ['ALTER TABLE log ADD FOREIGN KEY (n) REFERENCES t (id)', /foreign key|index/],
  ['ALTER TABLE child DROP FOREIGN KEY of_t', /foreign key "?of_t.* is gone/],
  [
    'ALTER TABLE child DROP FOREIGN KEY of_t; ALTER TABLE child ADD CONSTRAINT of_t FOREIGN KEY (t) REFERENCES t (id) ON DELETE CASCADE',
    /foreign key "?of_t.* has changed/,
  ],
  ['ALTER TABLE child ADD CONSTRAINT also FOREIGN KEY (id) REFERENCES t (id)', /foreign key "?also.* is new/],
  ['ALTER TABLE parted DROP PARTITION low', /parted/],
  ['ALTER TABLE t CONVERT TO CHARACTER SET latin1', /t/],
  ['CREATE OR REPLACE VIEW seen AS SELECT id, 0 AS v FROM t', /view "seen" has changed/],
  ['DROP VIEW seen', /view "seen" is gone/],
  ['CREATE VIEW more AS SELECT 1 AS one', /view "more" is new/],
  ['DROP FUNCTION doubled', /function "doubled" is gone/],
  ['CREATE PROCEDURE more() SELECT 1', /procedure "more" is new/],
  [
    "CREATE EVENT later ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01' DO DELETE FROM log",
    /event "later" is new/,
  ],
  ['ALTER DATABASE COLLATE latin1_german1_ci', /database/],
  ["SET @s = 'ALTER TABLE t ALTER v SET DEFAULT 7'; PREPARE s FROM @s; EXECUTE s", /column "v" has changed/],
  ['RENAME TABLE log TO journal', /log/],
]

async function run(server: ServerAtHand, url: string, statements: readonly string[]): Promise<void> {
  for (const sql of statements) await ask({ ...server, url }, sql)
}

for (const id of SERVERS) {
  describeOn(id, (server) => {
    describe.each(['auto', 'scan'] as const)(
      'a definition that a test changed, with detector %s,',
      (detector) => {
        async function leased(body: (database: TestDatabase) => Promise<void>): Promise<void> {
          await using harness = await createHarness({
            server: existing(server.url),
            migrate: ({ url }) => run(server, url, SCHEMA),
            fingerprint: SCHEMA.join(),
            detector,
          })
          await using database = await harness.lease()
          await body(database)
        }

        it('recreates the database in that reset, and gives the reason', () =>
          leased(async (database) => {
            // Each change recreates the database. Servers where that is fast test all of them.
            const isFast = detector === 'auto' && !id.endsWith('stock')
            for (const [sql, named] of CHANGES.filter((_, index) => isFast || index % 5 === 0)) {
              await run(server, database.url, [sql, 'UPDATE t SET v = v + 10'])
              const { notes } = await database.reset()
              expect(notes, sql).toEqual([expect.stringMatching(/recreated from its template/)])
              expect(notes[0], sql).toMatch(named)
              expect(await ask({ ...server, url: database.url }, 'SELECT id, v, note FROM t'), sql).toEqual([
                { id: 1, v: 1, note: null },
                { id: 2, v: 2, note: null },
              ])
              expect(await database.verify(), sql).toEqual([])
              await run(server, database.url, ['INSERT INTO t () VALUES ()'])
              expect((await database.reset()).notes, sql).toEqual([])
            }
          }))

        it('fails every reset by name without a template, until the definition is restored', () =>
          withDatabaseOn(server, 'afresh_test_m2', async (own) => {
            await run(
              server,
              own.url,
              SCHEMA.filter((sql) => !sql.startsWith('INSERT')),
            )
            const database = await attach(own.url, { detector })
            await run(server, own.url, ['INSERT INTO t (v) VALUES (1)'])
            await database.reset()
            await run(server, own.url, [
              'CREATE TRIGGER bad BEFORE INSERT ON t FOR EACH ROW SET NEW.v = 7',
              'INSERT INTO t (v) VALUES (1)',
            ])
            for (let round = 0; round < 2; round++) {
              await expect(database.reset()).rejects.toMatchObject({
                code: 'plan',
                message: expect.stringMatching(/trigger "bad" is new/),
              })
            }
            await run(server, own.url, ['DROP TRIGGER bad'])
            expect((await database.reset()).notes).toEqual([])
            expect(await ask(own, 'SELECT * FROM t')).toEqual([])
            await database.release()
          }))
      },
    )
  })
}
