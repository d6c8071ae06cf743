import { describe, expect, it } from 'vitest'
import { type AttachOptions, createHarness, existing, type TestDatabase } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { describeOn } from '../support/servers.ts'
import { adoptHere, type Run, withAttached } from './support.ts'

const RULES = [
  ['ON DELETE CASCADE', /says ON DELETE CASCADE/],
  ['ON DELETE SET NULL', /says ON DELETE SET NULL/],
  ['ON UPDATE CASCADE', /says ON UPDATE CASCADE/],
  ['ON DELETE RESTRICT ON UPDATE SET NULL', /says ON UPDATE SET NULL/],
] as const

for (const id of ['mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    const schema = (rule: string) => `CREATE TABLE child (id int PRIMARY KEY, parent int,
      CONSTRAINT across FOREIGN KEY (parent) REFERENCES afresh_elsewhere.parent (id) ${rule});
      INSERT INTO child VALUES (1, 1)`
    /** With a template of this run only: a persistent one would prevent dropping the other database. */
    const withLease = async (
      schema: string,
      options: AttachOptions,
      body: (database: TestDatabase, run: Run) => Promise<void>,
    ) => {
      await using harness = await createHarness({
        ...options,
        server: existing(server.url),
        migrate: async ({ url }) => void (await ask({ ...server, url }, schema)),
      })
      await using database = await harness.lease()
      await body(database, (sql) => ask({ ...server, url: database.url }, sql))
    }
    const elsewhere = (body: () => Promise<void>) =>
      withDatabaseOn(server, 'afresh_elsewhere', async (other) => {
        await ask(other, 'CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1), (2)')
        await body()
      })

    describe('a foreign key to another database', () => {
      it.each(RULES)('is refused by name if an action there changes rows here: %s', (rule, said) =>
        elsewhere(async () => {
          const refused = { code: 'plan', message: expect.stringMatching(said) }
          for (const start of [
            () => withLease(schema(rule), {}, async () => {}),
            () => withAttached(server, schema(rule), {}, async () => {}, adoptHere),
          ]) {
            await expect(start()).rejects.toMatchObject(refused)
            await expect(start()).rejects.toThrow(/"child" refers to .*parent.* by its foreign key "across"/)
          }
        }),
      )

      it('leaves no template that would prevent dropping the other database', () =>
        elsewhere(async () => {
          const started = createHarness({
            server: existing(server.url),
            migrate: async ({ url }) => void (await ask({ ...server, url }, schema('ON DELETE CASCADE'))),
            fingerprint: 'g12-refused',
          })
          await expect(started).rejects.toMatchObject({ code: 'plan' })
          await ask(server, 'DROP DATABASE afresh_elsewhere; CREATE DATABASE afresh_elsewhere')
        }))

      it('is accepted if the table is kept', () =>
        elsewhere(() =>
          withLease(schema('ON DELETE CASCADE'), { keep: ['child'] }, async (database) => {
            expect((await database.reset()).dirty).toEqual([])
          }),
        ))

      it('is accepted otherwise: the server prevents actions that would change rows here', () =>
        elsewhere(() =>
          withLease(schema('ON DELETE RESTRICT'), {}, async (database, run) => {
            await expect(run('DELETE FROM afresh_elsewhere.parent WHERE id = 1')).rejects.toThrow(
              /foreign key/i,
            )
            await run('INSERT INTO child VALUES (2, 2); DELETE FROM child WHERE id = 1')
            expect((await database.reset()).dirty).toEqual(['child'])
            expect(await run('SELECT * FROM child')).toEqual([{ id: 1, parent: 1 }])
            expect(await database.verify()).toEqual([])
          }),
        ))
    })
  })
}
