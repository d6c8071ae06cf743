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

const hex = (text: string) => Buffer.from(text).toString('hex').toUpperCase()
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

      it('with raw bytes among UTF-8 stores both unchanged', async () => {
        const sql = Buffer.concat([
          Buffer.from(`/*!50503 SET NAMES utf8mb4 */;\n${TABLE}INSERT INTO t VALUES (1, 'Käse', _binary '`),
          Buffer.from([0xff, 0xfe, 0x80]),
          Buffer.from("'),(2, '中😀', _binary 'ä');\n"),
        ])
        expect(await loaded(server, sql)).toEqual([
          { id: 1, word: hex('Käse'), raw: 'FFFE80' },
          { id: 2, word: hex('中😀'), raw: 'C3A4' },
        ])
      })

      it('may change from one encoding to UTF-8, and restore what it saved', async () => {
        const sql = Buffer.concat([
          latin1(`/*!40101 SET NAMES latin1 */;\n${TABLE}INSERT INTO t VALUES (1, 'K\xe4se', NULL);\n`),
          latin1('/*!40101 SET @saved_cs_client     = @@character_set_client */;\n'),
          Buffer.from("SET NAMES utf8mb4;\nINSERT INTO t VALUES (2, 'Käse', NULL);\n"),
          latin1('/*!40101 SET character_set_client = @saved_cs_client */;\n'),
          latin1("INSERT INTO t VALUES (3, 'K\xe4se', NULL);\n"),
        ])
        expect(await loaded(server, sql)).toEqual(
          [1, 2, 3].map((id) => ({ id, word: hex('Käse'), raw: null })),
        )
      })

      it.each([
        ['cp1251', [0xcf, 0xf0, 0xe8], 'При'],
        ['cp1250', [0xb9], 'ą'],
        ['latin2', [0xb1], 'ą'],
        ['latin5', [0xfe], 'ş'],
        ['koi8r', [0xf0, 0xd2], 'Пр'],
        ['greek', [0xe1], 'α'],
        ['hebrew', [0xe0], 'א'],
        ['cp850', [0x84], 'ä'],
        ['dec8', [0xe4], 'ä'],
        ['euckr', [0xc7, 0xd1], '한'],
        ['ujis', [0xc6, 0xfc], '日'],
        ['eucjpms', [0xc6, 0xfc], '日'],
        // A backslash, a backtick and a vertical bar as second bytes.
        ['sjis', [0x95, 0x5c, 0x83, 0x60, 0x8f, 0x7c], '表チ楯'],
        ['cp932', [0x95, 0x5c], '表'],
        ['gbk', [0x8e, 0x5c, 0xd6, 0xd0], '嶾中'],
        ['big5', [0xa5, 0x5c], '功'],
      ])('in %s stores what its bytes are', async (charset, bytes, text) => {
        const sql = Buffer.concat([
          latin1(`/*!40101 SET NAMES ${charset} */;\n${TABLE}INSERT INTO t VALUES (1, '`),
          Buffer.from(bytes),
          latin1(`', "it's");\nINSERT INTO t VALUES (2, 'a;b', NULL);\n`),
        ])
        expect(await loaded(server, sql)).toEqual([
          { id: 1, word: hex(text), raw: hex("it's") },
          { id: 2, word: hex('a;b'), raw: null },
        ])
      })

      it('in UTF-8 goes to the server as it is, whatever it declares', async () => {
        const sql = Buffer.from(`SET NAMES utf8mb3;\n${TABLE}INSERT INTO t VALUES (1, 'x😀', NULL);\n`)
        await expect(loaded(server, sql)).rejects.toMatchObject({ code: 'baseline' })
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
        message: expect.stringMatching(/dump\.sql.*not UTF-8 text: see line 2/),
        next: expect.stringMatching(/iconv/),
      })
    })
  })
}
