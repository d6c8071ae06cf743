import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  adopt,
  attach,
  createHarness,
  emptyDatabase,
  eraseFrom,
  existing,
  RefusedError,
} from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { type CiService, startCiService } from '../support/ci-service.ts'
import { hold } from '../support/hold.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'

const SCHEMA = 'CREATE TABLE users (id int PRIMARY KEY, name varchar(20))'
const ROW = `INSERT INTO users VALUES (1, 'Ada')`

for (const id of ['postgres:18', 'mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, ({ engine }) => {
    describe('the service of a CI job', () => {
      let service: CiService | undefined
      let app: ServerAtHand
      beforeAll(async () => {
        service = await startCiService(engine)
        app = service.server
      })
      afterAll(() => service?.[Symbol.asyncDispose]())

      const serverAt = (url: string): ServerAtHand => ({ engine, url })
      const inDatabase = (name: string) => serverAt(app.url.replace(/app$/, name))
      const start = (url = app.url) =>
        createHarness({
          server: existing(url),
          migrate: async (migrateContext) =>
            void (await ask(serverAt(migrateContext.url), `${SCHEMA}; ${ROW}`)),
          fingerprint: 'users',
        })
      const refusedFor = async (sql: string, undo: string, evidence: RegExp) => {
        await ask(app, sql)
        const before = await ask(app, engine === 'postgres' ? DATABASES : 'SHOW DATABASES')
        try {
          await expect(start()).rejects.toThrow(evidence)
          await expect(start()).rejects.toThrow(RefusedError)
          expect(await ask(app, engine === 'postgres' ? DATABASES : 'SHOW DATABASES')).toEqual(before)
        } finally {
          await ask(app, undo)
        }
        await (await start()).close()
      }

      it('is accepted during the whole run while no other database on it has a row', async () => {
        await using harness = await start()
        await using database = await harness.lease()
        await ask(serverAt(database.url), `INSERT INTO users VALUES (2, 'Grace')`)
        expect((await database.reset()).writes).toMatchObject([{ table: expect.stringContaining('users') }])
        expect(await ask(serverAt(database.url), 'SELECT id FROM users')).toEqual([{ id: 1 }])
        // afresh's own databases hold rows, including the template.
        await using second = await start()
        expect(second.handle.run).not.toBe(harness.handle.run)
        await (await second.lease()).release()
      })

      it('is accepted with empty tables', async () => {
        await ask(app, SCHEMA)
        await (await start()).close()
        await ask(app, 'DROP TABLE users')
      })

      it('is refused if a table has a row, naming the table, and accepted again without it', () =>
        refusedFor(
          `${SCHEMA}; ${ROW}`,
          'DROP TABLE users',
          /is not on this machine, .*\n.*the table ".*users" in the database "app" has rows\.\n.*leave out what fills it.*allow.*container\(\).*embedded\(\)/,
        ))

      it('is refused for rows in the table of a migration tool, which belongs to another application', () =>
        refusedFor(
          `CREATE TABLE schema_migrations (version varchar(20)); INSERT INTO schema_migrations VALUES ('1')`,
          'DROP TABLE schema_migrations',
          /the table ".*schema_migrations" in the database "app" has rows/,
        ))

      it('is refused for a row in any other database, whatever its name', async () => {
        for (const name of ['afresh_shop_production_1', ...(engine === 'postgres' ? ['template1'] : [])]) {
          if (name !== 'template1') await ask(app, `CREATE DATABASE ${name}`)
          await ask(inDatabase(name), `${SCHEMA}; ${ROW}`)
          await expect(start()).rejects.toThrow(
            new RegExp(`the table ".*users" in the database "${name}" has rows`),
          )
          await ask(inDatabase(name), 'DROP TABLE users')
          if (name !== 'template1') await ask(app, `DROP DATABASE ${name}`)
        }
      })

      it('allows to attach, empty and erase its database by the same evidence', async () => {
        await ask(app, SCHEMA)
        {
          await using database = await attach(app.url)
          await ask(app, ROW)
          await database.reset()
          expect(await ask(app, 'SELECT * FROM users')).toEqual([])
        }
        await ask(app, ROW)
        await expect(attach(app.url)).rejects.toThrow(/is not on this machine/)
        const confirm = async (candidate: { readonly confirmation: string }) => candidate.confirmation
        await expect(adopt(app.url, { confirm })).rejects.toThrow(/is not on this machine/)
        await ask(app, 'DELETE FROM users')
        await adopt(app.url, { confirm })
        await ask(app, ROW)
        await eraseFrom(app.url, 'users', { id: 1 })
        expect(await ask(app, 'SELECT * FROM users')).toEqual([])
        await ask(app, ROW)
        await (await attach(app.url)).release()
        await emptyDatabase(app.url)
        expect(await ask(app, 'SELECT * FROM users')).toEqual([])

        await ask(app, ROW)
        await ask(app, 'CREATE DATABASE shop')
        await ask(inDatabase('shop'), `${SCHEMA}; ${ROW}`)
        for (const again of [
          () => attach(app.url),
          () => eraseFrom(app.url, 'users', { id: 1 }),
          () => emptyDatabase(app.url),
        ])
          await expect(again()).rejects.toThrow(/the table ".*users" in the database "shop" has rows/)
        expect(await ask(app, 'SELECT id FROM users')).toEqual([{ id: 1 }])
        await ask(app, 'DROP DATABASE shop')
        await ask(app, 'DROP TABLE users')
      })

      it('is refused within seconds if a table stays locked', async () => {
        await ask(app, SCHEMA)
        const holder = await hold(
          app,
          engine === 'postgres' ? 'BEGIN; LOCK TABLE users' : 'LOCK TABLES users WRITE',
        )
        try {
          await expect(start()).rejects.toThrow(/"app".* cannot be inspected: .*(lock|timeout)/i)
        } finally {
          await holder.close()
          await ask(app, 'DROP TABLE users')
        }
      })

      it('is refused with more tables than afresh inspects', () =>
        refusedFor(
          `CREATE ${engine === 'postgres' ? 'SCHEMA' : 'DATABASE'} many; ${Array.from({ length: 2001 }, (_, i) => `CREATE TABLE many.t${i} (id int)`).join(';')}`,
          engine === 'postgres' ? DROP_MANY : 'DROP DATABASE many',
          /more than 2000 tables/,
        ))

      if (engine === 'postgres') postgresOnly(() => requireService(service), start, refusedFor)
      else {
        it('is refused for a user who may not read every database', async () => {
          await ask(
            app,
            `CREATE USER ci@'%' IDENTIFIED BY 'pw'; GRANT ALL ON \`afresh\\_%\`.* TO ci@'%'; GRANT ALL ON app.* TO ci@'%'`,
          )
          const url = app.url.replace(/\/\/root:[^@]*@/, '//ci:pw@')
          await expect(start(url)).rejects.toThrow(/the user may not read every database/)
          await ask(app, `GRANT SELECT ON *.* TO ci@'%'`)
          await (await start(url)).close()
          if (engine === 'mysql') {
            await ask(
              app,
              `SET GLOBAL partial_revokes = ON; CREATE DATABASE secret; REVOKE SELECT ON secret.* FROM ci@'%'`,
            )
            await expect(start(url)).rejects.toThrow(/the user may not read every database/)
            await ask(app, 'DROP DATABASE secret')
          }
          await ask(app, `DROP USER ci@'%'`)
        })
      }

      if (engine === 'mariadb') {
        it('is refused for rows in the history of a table', () =>
          refusedFor(
            'CREATE TABLE old (id int) WITH SYSTEM VERSIONING; INSERT INTO old VALUES (1); DELETE FROM old',
            'DROP TABLE old',
            /the table "old" in the database "app" has rows/,
          ))
      }
    })
  })
}

const DATABASES = 'SELECT datname FROM pg_database ORDER BY datname'
const DROP_MANY = `DROP SCHEMA many CASCADE`

function postgresOnly(
  service: () => CiService,
  start: (url?: string) => Promise<{ close(): Promise<void> }>,
  refusedFor: (sql: string, undo: string, evidence: RegExp) => Promise<void>,
): void {
  it('is refused for rows in a partition, a materialized view, a large object, and for foreign tables', async () => {
    await refusedFor(
      `CREATE TABLE parts (id int) PARTITION BY LIST (id); CREATE TABLE part PARTITION OF parts DEFAULT; INSERT INTO parts VALUES (1)`,
      'DROP TABLE parts',
      /the table "public.part" in the database "app" has rows/,
    )
    await refusedFor(
      'CREATE MATERIALIZED VIEW numbers AS SELECT 1 AS n',
      'DROP MATERIALIZED VIEW numbers',
      /"public.numbers"/,
    )
    await refusedFor('SELECT lo_create(77)', 'SELECT lo_unlink(77)', /large objects in the database "app"/)
    await refusedFor(
      'CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw; CREATE FOREIGN TABLE away (id int) SERVER far',
      'DROP EXTENSION postgres_fdw CASCADE',
      /the foreign table "public.away" in the database "app" reads from elsewhere/,
    )
  })

  it('is refused for what a role cannot read: a database without connections, a table, rows hidden by row security', async () => {
    await refusedFor(
      'CREATE DATABASE closed ALLOW_CONNECTIONS false',
      'DROP DATABASE closed',
      /the database "closed" cannot be inspected, since it allows no connections/,
    )
    const { server } = service()
    await ask(server, `CREATE ROLE ci LOGIN CREATEDB PASSWORD 'pw'; CREATE TABLE secret (id int)`)
    const url = server.url.replace(/\/\/postgres:[^@]*@/, '//ci:pw@')
    await expect(start(url)).rejects.toThrow(/"app" cannot be inspected: permission denied for table secret/)
    await ask(
      server,
      'GRANT SELECT ON secret TO ci; ALTER TABLE secret ENABLE ROW LEVEL SECURITY; INSERT INTO secret VALUES (1)',
    )
    await expect(start(url)).rejects.toThrow(/"app" cannot be inspected: .*row-level security/)
    await ask(server, 'DROP TABLE secret')
    await ask(server, 'REVOKE CONNECT ON DATABASE postgres FROM PUBLIC')
    await expect(start(url)).rejects.toThrow(/"postgres" cannot be inspected: /)
    await ask(server, 'GRANT CONNECT ON DATABASE postgres TO PUBLIC')
    await (await start(url)).close()
  })

  it('is accepted with the rows that an extension installs, and refused for rows added to them', async () => {
    const { server, exec } = service()
    const control = `default_version = '1.0'\nrelocatable = true`
    const script = `CREATE TABLE atlas (id int, own boolean); INSERT INTO atlas VALUES (1, false);
      SELECT pg_catalog.pg_extension_config_dump('atlas', ''); CREATE TABLE gazetteer (id int); INSERT INTO gazetteer VALUES (1);`
    const folder = '$(pg_config --sharedir)/extension'
    await exec(['sh', '-c', `echo "${control}" > ${folder}/atlas.control`])
    await exec(['sh', '-c', `echo "${script}" > ${folder}/atlas--1.0.sql`])
    await ask(server, 'CREATE EXTENSION atlas')
    await ask(server, 'VACUUM FREEZE')
    await (await start()).close()
    await refusedFor('INSERT INTO atlas VALUES (2, true)', 'DROP EXTENSION atlas', /the table "public.atlas"/)
  })

  it('is refused for a client, which sees only one database', async () => {
    const { server } = service()
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    try {
      await expect(attach(client)).rejects.toThrow(/a URL would show all/)
    } finally {
      await client.end()
    }
  })
}

function requireService(service: CiService | undefined): CiService {
  if (service === undefined) throw new Error('the service was not started')
  return service
}
