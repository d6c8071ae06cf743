import { describe, expect, it } from 'vitest'
import { adopt, attach, createHarness, existing } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { asPlainRole } from '../support/plain-role.ts'
import { describeOn } from '../support/servers.ts'
import { withLease } from './support.ts'

for (const id of ['postgres:18', 'postgres:15'] as const) {
  describeOn(id, (bare) => {
    describe('a role that does not own all tables and may not disable triggers', () => {
      const name = `case_p5_${process.env.VITEST_POOL_ID}`
      const elsewhere = (url: string, database: string) => url.replace(/\/[^/]*$/, `/${database}`)

      it('need not own a table with INSERT triggers only and an empty baseline (P5)', async () => {
        const plain = await asPlainRole(bare)
        await withDatabaseOn(bare, name, async (database) => {
          await ask(bare, `ALTER DATABASE ${name} OWNER TO plain_user`)
          await ask(
            database,
            `CREATE TABLE users (id int PRIMARY KEY); GRANT ALL ON users TO plain_user;
             CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
             CREATE TRIGGER noted AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION noted()`,
          )
          const own = { ...plain, url: elsewhere(plain.url, name) }
          await adopt(own.url, { confirm: async ({ confirmation }) => confirmation })
          await using attached = await attach(own.url)
          for (let round = 0; round < 2; round++) {
            await ask(own, 'INSERT INTO users VALUES (1)')
            expect((await attached.reset()).dirty).toEqual(['users'])
            expect(await ask(own, 'SELECT * FROM users')).toEqual([])
          }
          await attached.release()
          await ask(
            database,
            'CREATE TRIGGER vetoed BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION noted()',
          )
          await expect(attach(own.url)).rejects.toThrow(
            /fire what only the owner.*"users" \(trigger vetoed\)/,
          )
          await expect(
            attach(own.url, { keep: ['users'] }).then((testDatabase) => testDatabase.release()),
          ).resolves.toBeUndefined()
        })
      })

      it('leaves no row that a statement trigger on a referring table inserted (P13)', async () => {
        const plain = await asPlainRole(bare)
        const schema = `CREATE TABLE parents (id int PRIMARY KEY); CREATE TABLE log (n serial);
          CREATE TABLE children (parent int REFERENCES parents ON DELETE CASCADE);
          CREATE FUNCTION logged() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO log DEFAULT VALUES; RETURN NULL; END';
          CREATE TRIGGER logged AFTER DELETE ON children FOR EACH STATEMENT EXECUTE FUNCTION logged()`
        for (const strategy of ['delete', 'auto'] as const) {
          await withLease(plain, schema, { strategy }, async (database, run) => {
            for (let round = 0; round < 3; round++) {
              await run('INSERT INTO parents VALUES (1); INSERT INTO children VALUES (1)')
              await database.reset()
              expect(await database.verify(), strategy).toEqual([])
            }
          })
        }
      })

      it('restores rows that violate constraints which are NOT VALID (P6)', async () => {
        const plain = await asPlainRole(bare)
        const schema = `CREATE DOMAIN even AS int; CREATE TABLE a (id int PRIMARY KEY, n even, t text);
          INSERT INTO a VALUES (1, 1, NULL);
          ALTER DOMAIN even ADD CONSTRAINT is_even CHECK (VALUE % 2 = 0) NOT VALID;
          ${id === 'postgres:18' ? 'ALTER TABLE a ADD CONSTRAINT told NOT NULL t NOT VALID;' : ''}`
        await withLease(plain, schema, {}, async (database, run) => {
          for (let round = 0; round < 2; round++) {
            await run('DELETE FROM a')
            expect((await database.reset()).notes).toEqual([])
            expect(await run('SELECT * FROM a')).toEqual([{ id: 1, n: 1, t: null }])
            expect(await database.verify()).toEqual([])
          }
        })
      })
    })

    it('does not blame a test for a baseline row that a constraint rejects now (P6)', async () => {
      const schema = `CREATE TABLE a (ends timestamptz CHECK (ends > now())); INSERT INTO a VALUES (now() + interval '1 second')`
      await withLease(bare, schema, {}, async (database, run) => {
        await new Promise((resolve) => setTimeout(resolve, 1_100))
        await run('DELETE FROM a')
        const { notes } = await database.reset()
        expect(notes).toEqual([
          expect.stringMatching(/violates check constraint.*recreated from its template/),
        ])
        expect(notes[0]).not.toMatch(/test/)
      })
    })
  })
}

describeOn('postgres:18', (server) => {
  it("event triggers do not fire for afresh's own statements (P16)", async () => {
    await using harness = await createHarness({
      server: existing(server.url),
      migrate: async ({ url }) =>
        void (await ask(
          { ...server, url },
          `CREATE TABLE ddl (tag text); CREATE TABLE a (id int);
           CREATE FUNCTION logged() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.ddl VALUES (tg_tag); END';
           CREATE EVENT TRIGGER logged ON ddl_command_end EXECUTE FUNCTION logged(); ALTER EVENT TRIGGER logged ENABLE ALWAYS`,
        )),
    })
    await using database = await harness.lease()
    const run = (sql: string) => ask({ ...server, url: database.url }, sql)
    expect(await run('SELECT * FROM ddl')).toEqual([])
    await run('INSERT INTO a VALUES (1)')
    await database.reset()
    expect(await run('SELECT * FROM ddl')).toEqual([])
  })
})
