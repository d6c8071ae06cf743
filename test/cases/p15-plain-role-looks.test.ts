import pg from 'pg'
import { expect, it } from 'vitest'
import { randomFrom } from '../engine/mysql/writes.ts'
import { asPlainRole } from '../support/plain-role.ts'
import { describeOn } from '../support/servers.ts'
import { type Run, withLease } from './support.ts'

/** Tables with and without rows, sequences that may move without a transaction id, and partitions. */
const SCHEMA = `
  CREATE TABLE authors (id serial PRIMARY KEY, name text);
  CREATE TABLE books (id serial PRIMARY KEY, author int REFERENCES authors, title text);
  CREATE TABLE countries (id serial PRIMARY KEY, name text);
  CREATE SEQUENCE cached CACHE 10;
  CREATE SEQUENCE called_once;
  CREATE TABLE parts (id serial, k int, PRIMARY KEY (id, k)) PARTITION BY RANGE (k);
  CREATE TABLE part_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
  CREATE TABLE part_2 PARTITION OF parts FOR VALUES FROM (10) TO (20) PARTITION BY LIST (k);
  CREATE TABLE part_2a PARTITION OF part_2 FOR VALUES IN (10);
  CREATE TABLE part_2b PARTITION OF part_2 DEFAULT;
  INSERT INTO countries (name) SELECT 'country ' || n FROM generate_series(1, 50) AS n;
  SELECT nextval('called_once')`

const WRITES = [
  'SELECT 1',
  `INSERT INTO authors (name) VALUES ('a')`,
  `WITH a AS (INSERT INTO authors (name) VALUES ('a') RETURNING id) INSERT INTO books (author) SELECT id FROM a`,
  'BEGIN; INSERT INTO parts (k) VALUES (1); ROLLBACK',
  'INSERT INTO parts (k) VALUES (1), (10), (15)',
  'INSERT INTO part_2b (k) VALUES (12)',
  `SELECT nextval('called_once')`,
  `SELECT nextval('cached')`,
  `SELECT setval('authors_id_seq', 100, false)`,
  `SELECT setval('called_once', 1, false)`,
  `UPDATE countries SET name = 'changed' WHERE id = 7`,
  `DELETE FROM countries WHERE id IN (3, 4); INSERT INTO countries VALUES (3, 'country 3'), (4, 'country 4')`,
  'CREATE TEMP TABLE of_the_test (id int)',
  'TRUNCATE parts',
  'TRUNCATE part_1, part_2a RESTART IDENTITY',
]

const contentOf = async (run: Run) => [
  await run('SELECT * FROM countries ORDER BY id'),
  await run(
    `SELECT (SELECT count(*) FROM authors) + (SELECT count(*) FROM books) + (SELECT count(*) FROM parts) AS rows`,
  ),
  await run(`SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1`),
]

for (const id of ['embedded:18', 'postgres:15'] as const) {
  describeOn(id, (given) => {
    it('without superuser, a reset finds what a scan of everything finds, and restores it', async () => {
      await withLease(await asPlainRole(given), SCHEMA, { crossCheck: true }, async (database, run) => {
        const baseline = await contentOf(run)
        const pick = randomFrom(15)
        for (let round = 0; round < 60; round++) {
          const writes = Array.from({ length: pick(3) }, () => WRITES[pick(WRITES.length)] ?? '')
          for (const sql of writes) await run(sql)
          const { notes } = await database.reset()
          expect([round, writes, notes]).toEqual([round, writes, []])
          expect([round, writes, await contentOf(run)]).toEqual([round, writes, baseline])
        }
        expect(await database.verify()).toEqual([])
      })
    })

    it('without superuser, partitions that the role may not use by themselves are emptied by their table', async () => {
      const hidden = `CREATE TABLE parts (k int) PARTITION BY LIST (k); CREATE SCHEMA hidden;
        CREATE TABLE hidden.part_1 PARTITION OF parts FOR VALUES IN (1);
        CREATE TABLE part_2 PARTITION OF parts FOR VALUES IN (2);
        REVOKE TRUNCATE ON part_2 FROM CURRENT_USER; REVOKE ALL ON SCHEMA hidden FROM CURRENT_USER`
      await withLease(await asPlainRole(given), hidden, { strategy: 'auto' }, async (database, run) => {
        for (const rows of [2, 50_000]) {
          await run(`INSERT INTO parts SELECT 1 + n % 2 FROM generate_series(1, ${rows}) AS n`)
          expect((await database.reset()).dirty).toEqual(['parts'])
          expect(await run('SELECT FROM parts')).toEqual([])
        }
      })
    })

    it('without superuser, transaction ids show that nothing was written', async () => {
      await withLease(await asPlainRole(given), SCHEMA, {}, async (database, run) => {
        const labels = async () => (await database.reset()).dirty
        await database.reset()
        for (let round = 0; round < 3; round++) expect(await labels()).toEqual([])
        await run(`SELECT nextval('called_once')`)
        expect(await labels()).toEqual(['called_once'])
        expect(await labels()).toEqual([])
        await run('BEGIN; INSERT INTO authors (id) VALUES (1); ROLLBACK')
        expect(await labels()).toEqual([])
        await run('INSERT INTO part_2a (k) VALUES (10)')
        expect(await labels()).toEqual(expect.arrayContaining(['parts', 'parts_id_seq']))
      })
    })

    it('without superuser, what an open transaction commits after a reset is found by the next', async () => {
      await withLease(await asPlainRole(given), SCHEMA, { lockTimeoutMs: 200 }, async (database, run) => {
        await database.reset()
        const client = new pg.Client({ connectionString: database.url })
        await client.connect()
        await client.query('BEGIN; SELECT pg_current_xact_id()')
        await database.reset()
        await client.query('INSERT INTO authors (id) VALUES (1); COMMIT')
        await client.end()
        expect((await database.reset()).dirty).toEqual(['authors'])
        expect(await run('SELECT * FROM authors')).toEqual([])
      })
    })

    it('without superuser, a cycling and an unlogged sequence are looked at in every reset', async () => {
      const schema = `CREATE UNLOGGED SEQUENCE unlogged; CREATE SEQUENCE cycling MAXVALUE 3 CYCLE; SELECT nextval('cycling')`
      await withLease(await asPlainRole(given), schema, {}, async (database, run) => {
        await database.reset()
        for (const draws of [3, 1, 3, 2, 4]) {
          for (let draw = 0; draw < draws; draw++) await run(`SELECT nextval('cycling'), nextval('unlogged')`)
          await database.reset()
          expect(await run('SELECT last_value::int AS at FROM cycling')).toEqual([{ at: 1 }])
          expect(await run('SELECT is_called FROM unlogged')).toEqual([{ is_called: false }])
        }
      })
    })

    it('without superuser, the definitions that a test changed are found, each kind', async () => {
      const changes = [
        'DROP INDEX by_name',
        'ALTER TABLE books ALTER COLUMN title SET DEFAULT 1',
        `COMMENT ON COLUMN books.title IS 'new'`,
        'ALTER TABLE books DROP CONSTRAINT books_author_fkey',
        'ALTER SEQUENCE cached OWNED BY books.title',
        'ALTER TABLE countries ALTER COLUMN name SET STATISTICS 5',
        'GRANT SELECT ON countries TO PUBLIC',
      ]
      const schema = `${SCHEMA}; CREATE INDEX by_name ON countries (name)`
      await withLease(await asPlainRole(given), schema, {}, async (database, run) => {
        await database.reset()
        for (const change of changes) {
          await database.reset()
          await run(change)
          const { notes } = await database.reset()
          expect([change, notes]).toEqual([change, [expect.stringContaining('changed the schema')]])
        }
      })
    })
  })
}
