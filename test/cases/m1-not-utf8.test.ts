import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createHarness, existing } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { describeOn, type ServerAtHand, type ServerId } from '../support/servers.ts'

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY, word varchar(100) CHARACTER SET utf8mb4, raw blob);\n'

async function loaded(
  server: ServerAtHand,
  bytes: Buffer,
  read: string = 'SELECT id, HEX(word) AS word, HEX(raw) AS raw FROM t ORDER BY id',
): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'afresh-m1-'))
  try {
    writeFileSync(join(folder, 'dump.sql'), bytes)
    await using harness = await createHarness({
      server: existing(server.url),
      migrate: 'dump.sql',
      cwd: folder,
    })
    await using database = await harness.lease()
    return await ask({ ...server, url: database.url }, read)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const latin1 = (text: string) => Buffer.from(text, 'latin1')

for (const id of ['mysql:9.7', 'mariadb:11.8', 'mysql:9.7-stock', 'mariadb:11.8-stock'] as const) {
  describeOn(id, (server) => {
    describe('a script that is not UTF-8', () => {
      it('stores raw bytes after an introducer unchanged', async () => {
        const raw = Buffer.from(
          Array.from({ length: 255 }, (_, n) => n + 1).filter((n) => n !== 0x27 && n !== 0x5c),
        )
        const sql = Buffer.concat([
          latin1(`${TABLE}INSERT INTO t VALUES (1, 'a', _binary '`),
          raw,
          latin1("');\n"),
        ])
        expect(await loaded(server, sql)).toEqual([
          { id: 1, word: '61', raw: raw.toString('hex').toUpperCase() },
        ])
      })

      it('is read in the encoding of SET NAMES, including bulk inserts', async () => {
        const sql = latin1(
          `/*!40101 SET NAMES latin1 */;\n${TABLE}INSERT INTO t VALUES (1, 'K\xe4se', NULL);\nINSERT INTO t VALUES (2, 'na\xefve', NULL);\n`,
        )
        expect(await loaded(server, sql)).toEqual([
          { id: 1, word: Buffer.from('Käse').toString('hex').toUpperCase(), raw: null },
          { id: 2, word: Buffer.from('naïve').toString('hex').toUpperCase(), raw: null },
        ])
      })

      it('may change the encoding midway, and by an introducer', async () => {
        const sql = Buffer.concat([
          latin1(TABLE),
          Buffer.from("INSERT INTO t VALUES (1, 'Käse', NULL);\n"),
          latin1("INSERT INTO t VALUES (2, _latin1'K\xe4se', NULL);\nSET NAMES latin1;\n"),
          latin1("INSERT INTO t VALUES (3, 'K\xe4se', NULL);\n"),
        ])
        const word = Buffer.from('Käse').toString('hex').toUpperCase()
        expect(await loaded(server, sql)).toEqual([1, 2, 3].map((id) => ({ id, word, raw: null })))
      })

      it.each(['', 'NO_AUTO_VALUE_ON_ZERO', 'STRICT_ALL_TABLES'])(
        'without a declared encoding is refused by line with sql_mode %s',
        async (mode) => {
          const sql = latin1(
            `SET sql_mode = '${mode}';\n${TABLE}INSERT INTO t VALUES (1, 'a', NULL);\nINSERT INTO t VALUES (2, 'K\xe4se', NULL);\n`,
          )
          await expect(loaded(server, sql)).rejects.toMatchObject({
            code: 'baseline',
            message: expect.stringMatching(/dump\.sql:4: /),
          })
        },
      )

      it('keeps the text of routines, views and comments', async () => {
        const sql = latin1(
          `SET NAMES latin1;\nCREATE FUNCTION f() RETURNS varchar(20) CHARACTER SET utf8mb4 DETERMINISTIC RETURN 'K\xe4se';\n` +
            `CREATE VIEW v AS SELECT 'K\xe4se' AS word;\nCREATE TABLE t (id int DEFAULT 1 COMMENT 'K\xe4se');\n`,
        )
        const word = Buffer.from('Käse').toString('hex').toUpperCase()
        const read = `SELECT HEX(CONVERT(f() USING utf8mb4)) AS f, HEX(CONVERT(word USING utf8mb4)) AS v,
          (SELECT HEX(CONVERT(column_comment USING utf8mb4)) FROM information_schema.columns
            WHERE table_schema = DATABASE() AND table_name = 't') AS c FROM v`
        expect(await loaded(server, sql, read)).toEqual([{ f: word, v: word, c: word }])
      })
    })
  })
}

for (const id of ['postgres:18', 'embedded:18'] satisfies ServerId[]) {
  describeOn(id, (server) => {
    it('a script that is not UTF-8 is refused by line', async () => {
      const sql = latin1("CREATE TABLE t (word text);\nINSERT INTO t VALUES ('K\xe4se');\n")
      await expect(loaded(server, sql)).rejects.toMatchObject({
        code: 'baseline',
        message: expect.stringMatching(/dump\.sql.*not UTF-8 text: see its line 2/),
        next: expect.stringMatching(/iconv/),
      })
    })
  })
}
