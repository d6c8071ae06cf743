import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHarness, existing, type TestDatabase } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'

const SERVERS = ['mysql:9.7', 'mysql:9.7-stock', 'mariadb:11.8', 'mariadb:11.8-stock'] as const
const OWN = 'CREATE TABLE own (id int PRIMARY KEY, n int);'
const WITHOUT_ACCOUNTS = `SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES,
  CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER, FILE`

/** Each statement would change the database `shop`. */
const HOSTILE = [
  'DROP TABLE IF EXISTS `shop`.`users`',
  'DROP TABLE own, shop.users',
  'TRUNCATE shop.users',
  'TRUNCATE TABLE shop . users',
  'INSERT INTO shop.users VALUES (9)',
  'REPLACE shop.users VALUES (1), (9)',
  'RENAME TABLE shop.users TO shop.gone',
  'RENAME TABLE own TO shop.own',
  'ALTER TABLE shop.users ADD COLUMN n int',
  'ALTER TABLE own RENAME shop.own',
  'ALTER TABLE own RENAME = shop.own',
  'CREATE TABLE shop.more (id int)',
  'CREATE TABLE `shop` . `more` LIKE own',
  'CREATE INDEX i ON shop.users (id)',
  '/*!40000 USE shop */; INSERT INTO users VALUES (9)',
  '/*!40000 DROP TABLE shop.users */',
  'USE`shop`; INSERT INTO users VALUES (9)',
  'USE/**/shop; INSERT INTO users VALUES (9)',
  '/* c */ USE shop; TRUNCATE users',
  "PREPARE s FROM 'DROP DATABASE shop'; EXECUTE s",
  "SET @s = CONCAT('DROP DATA', 'BASE shop'); PREPARE s FROM @s; EXECUTE s",
  "SET @s = 'DELETE FROM shop.users'; PREPARE s FROM @s; EXECUTE s",
  'CREATE PROCEDURE p() DELETE FROM shop.users; CALL p()',
  'CREATE DEFINER=`root`@`localhost` PROCEDURE p() DELETE FROM shop.users; CALL p()',
  '/*!50003 CREATE*/ /*!50020 DEFINER=`root`@`localhost`*/ /*!50003 PROCEDURE p() DELETE FROM shop.users */; CALL p()',
  `DELIMITER ;;\nCREATE PROCEDURE p() BEGIN SET @q = CONCAT('DELETE FROM sh', 'op.users'); PREPARE s FROM @q; EXECUTE s; END;;\nDELIMITER ;\nCALL p()`,
  'CREATE TRIGGER tr AFTER INSERT ON own FOR EACH ROW DELETE FROM shop.users; INSERT INTO own VALUES (1, 1)',
  'CREATE DEFINER=`root`@`localhost` TRIGGER tr AFTER INSERT ON own FOR EACH ROW DELETE FROM shop.users; INSERT INTO own VALUES (1, 1)',
  'CREATE TRIGGER shop.tr BEFORE INSERT ON shop.users FOR EACH ROW SET NEW.id = 1',
  'CREATE VIEW v AS SELECT * FROM shop.users; DELETE FROM v',
  'CREATE DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW v AS SELECT * FROM shop.users; INSERT INTO v VALUES (9)',
  'INSERT INTO own VALUES (1, 1); DELETE o, u FROM own o JOIN shop.users u',
  'INSERT INTO own VALUES (1, 1); UPDATE own o, shop.users u SET u.id = 7 WHERE u.id = 1',
  'CREATE EVENT shop.e ON SCHEDULE EVERY 1 DAY DO DELETE FROM users',
  'SET sql_mode = \'ANSI_QUOTES\'; INSERT INTO "shop"."users" VALUES (9)',
  'CALL shop.wipe()',
  'SELECT shop.wiped()',
  'DROP PROCEDURE shop.wipe',
] as const

async function stateOf(server: ServerAtHand): Promise<unknown> {
  return [
    await ask(server, 'SELECT * FROM shop.users ORDER BY id'),
    await ask(
      server,
      `SELECT table_name AS name, column_name AS col, column_key AS k FROM information_schema.columns WHERE table_schema = 'shop' ORDER BY 1, 2`,
    ),
    await ask(
      server,
      `SELECT trigger_name AS name FROM information_schema.triggers WHERE trigger_schema = 'shop'
      UNION ALL SELECT event_name FROM information_schema.events WHERE event_schema = 'shop'
      UNION ALL SELECT routine_name FROM information_schema.routines WHERE routine_schema = 'shop' ORDER BY 1`,
    ),
  ]
}

async function loaded(
  server: ServerAtHand,
  sql: string | readonly string[],
  body: (database: TestDatabase) => Promise<void> = async () => {},
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'afresh-g4-'))
  try {
    const files = (typeof sql === 'string' ? [sql] : sql).map((text, index) => {
      writeFileSync(join(folder, `${index}.sql`), `${text};\n`)
      return `${index}.sql`
    })
    await using harness = await createHarness({ server: existing(server.url), migrate: files, cwd: folder })
    await using database = await harness.lease()
    await body(database)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function scriptAccounts(server: ServerAtHand): Promise<unknown> {
  return ask(server, "SELECT user FROM mysql.user WHERE user LIKE 'afresh\\_script\\_%'")
}

for (const id of SERVERS) {
  describeOn(id, (server) => {
    const url = server.url.replace(/\/\/[^@]*@/, '//afresh_g4:pw@')
    beforeAll(async () => {
      const wipe = 'DELETE FROM shop.users WHERE id > 0'
      await ask(
        server,
        `SET GLOBAL log_bin_trust_function_creators = ${id.endsWith('stock') ? 0 : 1};
         DROP DATABASE IF EXISTS shop; CREATE DATABASE shop; CREATE TABLE shop.users (id int PRIMARY KEY);
         CREATE PROCEDURE shop.wipe() ${wipe};
         CREATE FUNCTION shop.wiped() RETURNS int DETERMINISTIC BEGIN ${wipe}; RETURN 1; END;
         INSERT INTO shop.users VALUES (1), (2);
         DROP USER IF EXISTS afresh_g4; CREATE USER afresh_g4 IDENTIFIED BY 'pw'; GRANT ${WITHOUT_ACCOUNTS} ON *.* TO afresh_g4`,
      )
    })
    afterAll(() => ask(server, 'DROP DATABASE shop; DROP USER afresh_g4'))

    describe.each([
      ['an administrator', server],
      ['a user who may not create accounts', { ...server, url }],
    ])('a script for %s', (_, target) => {
      it.each(HOSTILE)('does not change another database: %s', async (sql) => {
        const before = await stateOf(server)
        await expect(loaded(target, [OWN, sql])).rejects.toMatchObject({
          name: 'AfreshError',
          next: expect.any(String),
        })
        expect(await stateOf(server)).toEqual(before)
        expect(await scriptAccounts(server)).toEqual([])
      })

      it('may use the name of another database in a string, or for a table of its own', () =>
        loaded(
          target,
          [
            'CREATE TABLE shop (colour int, id int); INSERT INTO shop VALUES (1, 2)',
            "CREATE TABLE t AS SELECT shop.id, 'DROP TABLE shop.users' AS word FROM shop WHERE shop.colour = 1",
            "SET @s = IF(1, 'ALTER TABLE t ADD COLUMN n int', 'DO 0'); PREPARE s FROM @s; EXECUTE s",
          ],
          async (database) => {
            expect(await ask({ ...server, url: database.url }, 'SELECT id, n FROM t')).toEqual([
              { id: 2, n: null },
            ])
          },
        ))
    })

    it('keeps the definers that a script names, and runs their routines', () =>
      loaded(
        server,
        [
          OWN,
          `CREATE TABLE log (n int);
           /*!50003 CREATE*/ /*!50017 DEFINER=\`root\`@\`localhost\`*/ /*!50003 TRIGGER second AFTER INSERT ON own FOR EACH ROW INSERT INTO log VALUES (2) */;
           CREATE DEFINER = root@localhost TRIGGER first AFTER INSERT ON own FOR EACH ROW PRECEDES second INSERT INTO log VALUES (1);
           CREATE DEFINER=\`root\`@\`localhost\` FUNCTION f() RETURNS int DETERMINISTIC RETURN 7;
           CREATE PROCEDURE p() SELECT 1;
           CREATE ALGORITHM=UNDEFINED DEFINER=\`root\`@\`localhost\` SQL SECURITY DEFINER VIEW v AS SELECT id, n FROM own;
           CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01' DO DELETE FROM log;
           INSERT INTO own VALUES (1, 1)`,
        ],
        async (database) => {
          const inside = { ...server, url: database.url }
          expect(await ask(inside, 'SELECT n FROM log')).toEqual([{ n: 1 }, { n: 2 }])
          expect(await ask(inside, 'SELECT f() AS f, id FROM v')).toEqual([{ f: 7, id: 1 }])
          expect(
            await ask(
              inside,
              `SELECT trigger_name AS name, definer AS definer FROM information_schema.triggers WHERE trigger_schema = DATABASE()
               UNION ALL SELECT routine_name, definer FROM information_schema.routines WHERE routine_schema = DATABASE()
               UNION ALL SELECT table_name, definer FROM information_schema.views WHERE table_schema = DATABASE()
               UNION ALL SELECT event_name, definer FROM information_schema.events WHERE event_schema = DATABASE() ORDER BY 1`,
            ),
          ).toEqual(
            ['e', 'f', 'first', 'p', 'second', 'v'].map((name) => ({
              name,
              definer: name === 'e' || name === 'p' ? 'root@%' : 'root@localhost',
            })),
          )
        },
      ))
  })
}
