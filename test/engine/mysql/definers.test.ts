import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { createHarness, existing } from '../../../src/index.ts'
import { ask } from '../../support/ask.ts'
import { describeOn } from '../../support/servers.ts'

const ANSI = `SET sql_mode = 'ANSI_QUOTES';
  CREATE TABLE "kept" ("id" int PRIMARY KEY);
  CREATE PROCEDURE "ansi"() SELECT 1 AS "one";
  CREATE DEFINER = "root"@"localhost" PROCEDURE "of the other root"() SELECT 2;
  CREATE TRIGGER "noted" BEFORE INSERT ON "kept" FOR EACH ROW SET NEW."id" = NEW."id" + 1;`

const PACKAGE = `SET sql_mode = 'ORACLE';
  DELIMITER //
  CREATE PACKAGE pack AS PROCEDURE one(); END//
  CREATE PACKAGE BODY pack AS PROCEDURE one() AS BEGIN SELECT 1 AS one; END; END//
  DELIMITER ;`

const folder = mkdtempSync(join(tmpdir(), 'afresh-definers-'))
writeFileSync(join(folder, 'ansi.sql'), ANSI)
writeFileSync(join(folder, 'package.sql'), PACKAGE)
afterAll(() => rmSync(folder, { recursive: true }))

for (const id of ['mysql:9.7', 'mariadb:11.8', 'mariadb:10.11'] as const) {
  describeOn(id, (server) => {
    const hasPackages = server.engine === 'mariadb'

    it('routines of a script belong to the server’s user, whatever sql_mode they were written in', async () => {
      const migrate = ['ansi.sql', ...(hasPackages ? ['package.sql'] : [])].map((name) => join(folder, name))
      await using harness = await createHarness({ server: existing(server.url), migrate })
      await using database = await harness.lease()
      const inside = { ...server, url: database.url }
      expect(await ask(inside, 'CALL ansi()')).toMatchObject({ 0: [{ one: 1 }] })
      if (hasPackages) {
        const called = await ask(inside, "SET sql_mode = 'ORACLE'; CALL pack.one()")
        expect(called).toMatchObject({ 1: [{ one: 1 }] })
      }
      await ask(inside, 'INSERT INTO kept VALUES (1)')
      expect(await ask(inside, 'SELECT id FROM kept')).toEqual([{ id: 2 }])
      const owners = await ask(
        inside,
        `SELECT DISTINCT definer FROM information_schema.routines WHERE routine_schema = DATABASE()
         UNION SELECT DISTINCT definer FROM information_schema.triggers WHERE trigger_schema = DATABASE()`,
      )
      const users = new Set(owners.map((row) => String(Object.values(row)[0]).replace(/@.*/, '')))
      expect(users).toEqual(new Set(['root']))
      expect(
        await ask(
          inside,
          `SELECT definer AS who FROM information_schema.routines
           WHERE routine_schema = DATABASE() AND routine_name = 'of the other root'`,
        ),
      ).toEqual([{ who: 'root@localhost' }])
      expect((await database.reset()).dirty).toEqual(['kept'])
    })
  })
}
