import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createHarness, existing } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'

async function load(server: ServerAtHand, script: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'afresh-g4-'))
  try {
    writeFileSync(join(folder, 'schema.sql'), `CREATE TABLE t (id int);\n${script};\n`)
    await using harness = await createHarness({
      server: existing(server.url),
      migrate: 'schema.sql',
      cwd: folder,
    })
    await using _database = await harness.lease()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const OTHERS = "DROP USER IF EXISTS g4_made, g4_there; CREATE USER g4_there IDENTIFIED BY 'before'"
const accounts = (server: ServerAtHand) =>
  ask(
    server,
    "SELECT user, host, HEX(authentication_string) AS secret FROM mysql.user WHERE user NOT LIKE 'afresh%' ORDER BY 1, 2",
  )

for (const id of ['mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    describe('a script', () => {
      it.each([
        'ALTER USER g4_there IDENTIFIED BY "after"',
        "/*!50000 ALTER USER 'g4_there'@'%' IDENTIFIED BY 'after' */",
        "SET PASSWORD FOR `g4_there`@'%' = 'after'",
        'RENAME USER g4_there TO g4_gone',
        'DROP USER IF EXISTS g4_there',
        'REVOKE ALL PRIVILEGES, GRANT OPTION FROM g4_there',
        "SET @s = 'DROP USER g4_there'; PREPARE s FROM @s; EXECUTE s",
        'CREATE PROCEDURE p() DROP USER g4_there; CALL p()',
        ...(id === 'mariadb:11.8' ? ["CREATE OR REPLACE USER g4_there IDENTIFIED BY 'after'"] : []),
      ])('does not change an account that it has not made: %s', async (script) => {
        await ask(server, OTHERS)
        const before = await accounts(server)
        await expect(load(server, script)).rejects.toMatchObject({ code: 'baseline' })
        expect(await accounts(server)).toEqual(before)
        await ask(server, 'DROP USER g4_there')
      })

      it.each([
        'SET GLOBAL max_connections = 77',
        'SET @a = 1, @@GLOBAL.max_connections = 77',
        '/*!50000 SET GLOBAL max_connections = 77 */',
        'PURGE BINARY LOGS BEFORE NOW()',
        "INSTALL PLUGIN g4 SONAME 'g4.so'",
        'SHUTDOWN',
        "PREPARE s FROM 'PURGE BINARY LOGS BEFORE NOW()'; EXECUTE s",
        "SET @s = CONCAT('RES', 'ET PERSIST'), @t = 'RESET MASTER'; PREPARE s FROM @t; EXECUTE s",
        'CREATE PROCEDURE p() RESET MASTER; CALL p()',
        "CREATE PROCEDURE p() BEGIN SET @s = 'RESET PERSIST'; PREPARE s FROM @s; EXECUTE s; END; CALL p()",
        ...(id === 'mysql:9.7'
          ? [
              'SET PERSIST max_connections = 77',
              'RESET BINARY LOGS AND GTIDS',
              "PREPARE s FROM 'RESET PERSIST'; EXECUTE s",
              "/*!50000 PREPARE s FROM 'RESET PERSIST' */; EXECUTE s",
              "CREATE TABLESPACE g4 ADD DATAFILE 'g4.ibd'",
            ]
          : ['RESET MASTER', "EXECUTE IMMEDIATE 'RESET MASTER'"]),
      ])('does not change the server: %s', async (script) => {
        await expect(load(server, script)).rejects.toMatchObject({
          code: 'baseline',
          message: expect.stringMatching(/schema\.sql:2: the script would change the server/),
        })
      })

      it('may create accounts, change them, read settings and set those of its session', async () => {
        await ask(server, OTHERS)
        await load(
          server,
          `CREATE USER IF NOT EXISTS g4_there, g4_made IDENTIFIED BY 'one'; ALTER USER g4_made IDENTIFIED BY 'two';
           GRANT SELECT ON t TO g4_made; SET @old = @@GLOBAL.sql_mode, SESSION sql_mode = @@GLOBAL.sql_mode`,
        )
        const users = (await accounts(server)).map(({ user, User }) => user ?? User)
        expect(users).toEqual(expect.arrayContaining(['g4_made', 'g4_there']))
        await ask(server, 'DROP USER g4_made, g4_there')
      })

      it('of a server with GTIDs is loaded without its position', async () => {
        await load(
          server,
          "SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-7'",
        )
      })
    })
  })
}
