import pg from 'pg'
import { expect, it } from 'vitest'
import { adopt, attach, createHarness, existing } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { describePgbouncer, withPgbouncer } from '../support/pgbouncer.ts'
import { describeOn } from '../support/servers.ts'

describeOn('postgres:18', (server) => {
  describePgbouncer('pgbouncer', () => {
    it('in transaction mode is refused with the direct URL as next step, and its sessions keep no settings', () =>
      withPgbouncer(server, 'transaction', (pooled) =>
        withDatabaseOn(server, 'case_p2', async (direct) => {
          const database = { ...pooled, url: pooled.url.replace(/\/[^/]*$/, '/case_p2') }
          await ask(direct, 'CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES a)')
          const refusal = {
            code: 'server',
            message: expect.stringMatching(/transaction pooling.*\n.*session mode/s),
          }
          await expect(createHarness({ server: existing(pooled.url) })).rejects.toMatchObject(refusal)
          await expect(attach(database.url)).rejects.toMatchObject(refusal)
          await adopt(direct.url, { confirm: async ({ confirmation }) => confirmation })
          const client = new pg.Client({ connectionString: database.url })
          await client.connect()
          await expect(attach(client)).rejects.toMatchObject(refusal)
          await client.end()
          // The application's own queries through the pooler are unaffected: constraints still hold.
          for (let again = 0; again < 5; again++)
            await expect(ask(database, 'INSERT INTO b VALUES (1)')).rejects.toThrow(/foreign key/)
        }),
      ))

    it('in session mode leases, resets and drops like the server itself', () =>
      withPgbouncer(server, 'session', async (pooled) => {
        await using harness = await createHarness({
          server: existing(pooled.url),
          migrate: async ({ url }) =>
            void (await ask({ ...pooled, url }, 'CREATE TABLE a (id serial PRIMARY KEY, n int)')),
        })
        await using database = await harness.lease()
        const app = { ...pooled, url: database.url }
        for (let round = 0; round < 3; round++) {
          await ask(app, 'INSERT INTO a (n) VALUES (1)')
          expect((await database.reset()).dirty).toEqual(expect.arrayContaining(['a']))
          expect(await ask(app, 'SELECT * FROM a')).toEqual([])
          expect(await database.verify()).toEqual([])
        }
      }))
  })
})
