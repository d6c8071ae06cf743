import { describe, expect, it } from 'vitest'
import { createHarness, existing, type TestDatabase } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { describeOn, engines, type ServerAtHand } from '../support/servers.ts'

/** Statements use PostgreSQL's syntax. The other engines write generated keys differently. */
const ID = { postgres: 'serial', mysql: 'int AUTO_INCREMENT', mariadb: 'int AUTO_INCREMENT' }

const SCHEMA = `CREATE TABLE authors (id serial PRIMARY KEY, name varchar(20));
  INSERT INTO authors (name) VALUES ('Ada');
  CREATE TABLE books (id serial PRIMARY KEY, author int, FOREIGN KEY (author) REFERENCES authors (id));`

for (const { id } of engines) {
  describeOn(id, (server) => {
    describe('a test that changed the schema', () => {
      it('may leave a table of its own behind, which is emptied with the others', () =>
        withDatabase(server, async (database, run) => {
          await run(
            'CREATE TABLE drafts (id serial PRIMARY KEY, book int, FOREIGN KEY (book) REFERENCES books (id))',
          )
          await run('INSERT INTO books (author) VALUES (1)')
          await run('INSERT INTO drafts (book) VALUES (1), (1)')
          const report = await database.reset()
          expect(report.dirty).toEqual(expect.arrayContaining(['books', 'drafts']))
          expect(report.notes).toEqual([expect.stringMatching(/drafts.*planned again/)])
          expect(await database.verify()).toEqual([])
          for (let round = 0; round < 2; round++) {
            expect(await run('SELECT id FROM drafts')).toEqual([])
            await run('INSERT INTO books (author) VALUES (1)')
            await run('INSERT INTO drafts (book) VALUES (1)')
            expect(await run('SELECT id FROM drafts')).toEqual([{ id: 1 }])
            await run(`UPDATE authors SET name = 'changed'`)
            const again = await database.reset()
            expect(again.notes).toEqual([])
            expect(again.dirty).toEqual(expect.arrayContaining(['authors', 'books', 'drafts']))
            expect(await database.verify()).toEqual([])
          }
        }))

      it.each([
        ['dropped a table', 'DROP TABLE books', /books/],
        ['dropped a table with baseline rows', 'DROP TABLE books; DROP TABLE authors', /authors|books/],
        ['added a column', 'ALTER TABLE authors ADD COLUMN born date', /authors|schema/],
        ['renamed a table', 'ALTER TABLE books RENAME TO novels', /books/],
        [
          'created a table again',
          'DROP TABLE books; CREATE TABLE books (id serial PRIMARY KEY, author int, title int)',
          /books/,
        ],
      ])('and %s causes the database to be recreated in that reset', (_, sql, reason) =>
        withDatabase(server, async (database, run) => {
          await run(`UPDATE authors SET name = 'changed'`)
          for (const statement of sql.split('; ')) await run(statement)
          const report = await database.reset()
          expect(report.notes).toEqual([expect.stringMatching(/recreated from its template/)])
          expect(report.notes[0]).toMatch(reason)
          expect(await run('SELECT * FROM authors')).toEqual([{ id: 1, name: 'Ada' }])
          await run('INSERT INTO books (author) VALUES (1)')
          expect(await run('SELECT * FROM books')).toEqual([{ id: 1, author: 1 }])
          expect((await database.reset()).notes).toEqual([])
          expect(await database.verify()).toEqual([])
        }),
      )

      it.runIf(id === 'embedded:18')('by renaming or dropping a column is detected in the WAL', () =>
        withDatabase(
          server,
          async (database, run) => {
            await database.reset()
            for (const change of ['RENAME COLUMN author TO writer', 'DROP COLUMN author']) {
              await run(`ALTER TABLE books ${change}`)
              expect((await database.reset()).notes).toEqual([
                expect.stringMatching(/books.*recreated from its template/),
              ])
              expect(await run('SELECT author FROM books')).toEqual([])
              expect(await database.verify()).toEqual([])
            }
          },
          'wal',
        ),
      )

      it.runIf(server.engine === 'postgres')('does not add what it left behind to the baseline', () =>
        withDatabase(server, async (database, run) => {
          await run("CREATE TYPE mood AS ENUM ('sad', 'happy')")
          await run('ALTER TABLE authors ADD COLUMN mood mood')
          await database.reset()
          await run('DELETE FROM authors')
          await run(`ALTER TABLE authors ALTER COLUMN name TYPE int USING 1`)
          await database.reset()
          expect(await run('SELECT name FROM authors')).toEqual([{ name: 'Ada' }])
          expect(await database.verify()).toEqual([])
        }),
      )

      it('by a new index, view or temporary table causes no note', () =>
        withDatabase(server, async (database, run) => {
          // MySQL and MariaDB treat these as changes: test/cases/m2-changed-definitions.test.ts
          if (server.engine === 'postgres') {
            await run('CREATE INDEX by_author ON books (author)')
            await run('CREATE VIEW everything AS SELECT * FROM books')
          }
          await run('CREATE TEMPORARY TABLE scratch AS SELECT 1 AS n')
          await run('INSERT INTO books (author) VALUES (1)')
          const report = await database.reset()
          expect(report.dirty).toEqual(expect.arrayContaining(['books']))
          expect(report.notes).toEqual([])
          expect(await database.verify()).toEqual([])
        }))
    })
  })
}

type Run = (sql: string) => Promise<Record<string, unknown>[]>

/** Each statement has its own connection, so that recreating the database terminates no open session. */
async function withDatabase(
  server: ServerAtHand,
  body: (database: TestDatabase, run: Run) => Promise<void>,
  detector: 'auto' | 'wal' = 'auto',
): Promise<void> {
  const run =
    (url: string): Run =>
    (sql) =>
      ask({ ...server, url }, sql.replaceAll(/\bserial\b/g, ID[server.engine]))
  const migrate = async ({ url }: { url: string }) => {
    for (const statement of SCHEMA.split(';')) if (statement.trim()) await run(url)(statement)
  }
  await using harness = await createHarness({
    server: existing(server.url),
    migrate,
    fingerprint: SCHEMA,
    detector,
  })
  await using database = await harness.lease()
  await body(database, run(database.url))
}
