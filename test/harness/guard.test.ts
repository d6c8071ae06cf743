import { setTimeout } from 'node:timers/promises'
import { PostgreSqlContainer } from '@testcontainers/postgresql'
import pg from 'pg'
import { getContainerRuntimeClient } from 'testcontainers'
import { afterEach, describe, expect, it } from 'vitest'
import { leaseFrom } from '../../src/harness/lease-from.ts'
import { AfreshError, attach, createHarness, eraseFrom, existing, RefusedError } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { hold } from '../support/hold.ts'
import { startPublished } from '../support/own-container.ts'
import { describeOn, oneOfEach, type ServerAtHand } from '../support/servers.ts'
import { tapWire } from '../support/wire.ts'

/** Creates a database that afresh did not create, as users have them, and drops it after `body`. */
async function withDatabase(
  server: ServerAtHand,
  name: string,
  sql: string,
  body: (db: ServerAtHand) => Promise<void>,
) {
  const drop = `DROP DATABASE IF EXISTS ${name}`
  await ask(server, drop)
  await ask(server, `CREATE DATABASE ${name}`)
  const url = new URL(server.url)
  url.pathname = `/${name}`
  const database = { ...server, url: url.toString() }
  try {
    if (sql !== '') await ask(database, sql)
    await body(database)
  } finally {
    await ask(server, server.engine === 'postgres' ? `${drop} WITH (FORCE)` : drop)
  }
}

const ROWS = `CREATE TABLE customers (id int PRIMARY KEY); INSERT INTO customers VALUES (1), (2)`

/** Adds rows to the server, which then does not count as new and empty. */
async function rowsOn(server: ServerAtHand): Promise<AsyncDisposable> {
  const drop = 'DROP TABLE IF EXISTS customers'
  await ask(server, `${drop}; ${ROWS}`)
  return { [Symbol.asyncDispose]: async () => void (await ask(server, drop)) }
}

const count = async (db: ServerAtHand) => Number((await ask(db, 'SELECT count(*) AS n FROM customers'))[0]?.n)

async function isTakenOverUntilReleased(db: ServerAtHand) {
  {
    await using database = await attach(db.url)
    await ask(db, 'INSERT INTO customers VALUES (1)')
    await database.reset()
    expect(await count(db)).toBe(0)
  }
  await ask(db, 'INSERT INTO customers VALUES (7)')
  await expect(attach(db.url)).rejects.toThrow(/no mark of afresh/)
}

for (const { id } of oneOfEach) {
  describeOn(id, (server) => {
    describe('the guard', () => {
      it('refuses a database with rows and no mark, states the evidence, and leaves it unchanged', () =>
        withDatabase(server, 'production_like', ROWS, async (db) => {
          const refused = attach(db.url)
          await expect(refused).rejects.toThrow(RefusedError)
          await expect(refused).rejects.toThrow(
            /"production_like" is not afresh's to change: there are rows in .*customers.*no mark/,
          )
          expect(await count(db)).toBe(2)
          await expect(attach(db.url)).rejects.toThrow(RefusedError)
        }))

      it('owns a database whose tables are all empty, until it is released', () =>
        withDatabase(server, 'empty_tables', 'CREATE TABLE customers (id int PRIMARY KEY)', async (db) => {
          await isTakenOverUntilReleased(db)
          expect(await count(db)).toBe(1)
        }))

      it('does not trust the mark that a killed run left on an empty database, once that has rows', () =>
        withDatabase(server, 'once_empty', 'CREATE TABLE customers (id int PRIMARY KEY)', async (db) => {
          const killed = async () => {
            await using wire = await tapWire(db.url)
            await attach(wire.url)
            wire.cut()
          }
          await killed()
          await ask(db, 'INSERT INTO customers VALUES (7)')
          await expect(attach(db.url)).rejects.toThrow(
            /marked while everything in it was empty, by an `attach`/,
          )
          await expect(eraseFrom(db.url, 'customers', { id: 7 })).rejects.toThrow(RefusedError)
          expect(await count(db)).toBe(1)

          await ask(db, 'DELETE FROM customers')
          await isTakenOverUntilReleased(db)
        }))

      it('leaves no mark if reading the baseline fails', () =>
        withDatabase(server, 'not_taken', 'CREATE TABLE customers (id int PRIMARY KEY)', async (db) => {
          await expect(attach(db.url, { keep: ['nowhere'] })).rejects.toThrow(AfreshError)
          await ask(db, 'INSERT INTO customers VALUES (7)')
          await expect(attach(db.url)).rejects.toThrow(/no mark of afresh/)
        }))

      it('refuses a reset once the mark is gone, and changes nothing', () =>
        withDatabase(server, 'loses_its_mark', 'CREATE TABLE customers (id int PRIMARY KEY)', async (db) => {
          await using database = await attach(db.url)
          await ask(db, 'INSERT INTO customers VALUES (1)')
          await ask(
            db,
            server.engine === 'postgres'
              ? 'COMMENT ON DATABASE loses_its_mark IS NULL'
              : 'DROP TABLE afresh_mark',
          )
          await expect(database.reset()).rejects.toThrow(RefusedError)
          expect(await count(db)).toBe(1)
        }))

      it('never changes databases of others', () =>
        withDatabase(server, 'canary', ROWS, async (db) => {
          const before = await ask(db, 'SELECT * FROM customers ORDER BY id')
          await using harness = await createHarness({
            server: existing(db.url),
            migrate: async ({ url }) => {
              await ask({ ...server, url }, 'CREATE TABLE customers (id int PRIMARY KEY)')
            },
          })
          await using database = await harness.lease()
          await ask({ ...server, url: database.url }, 'INSERT INTO customers VALUES (1)')
          await database.reset()
          await harness.close()
          expect(await ask(db, 'SELECT * FROM customers ORDER BY id')).toEqual(before)
        }))
    })

    describe('what a killed run left', () => {
      const migrate = async ({ url }: { url: string }) => {
        await ask({ ...server, url }, 'CREATE TABLE t (id int PRIMARY KEY)')
      }
      const names = async () => {
        const sql =
          server.engine === 'postgres'
            ? 'SELECT datname AS name FROM pg_database'
            : 'SELECT schema_name AS name FROM information_schema.schemata'
        return (await ask(server, sql)).map((row) => String(row.name ?? row.NAME))
      }

      it('is left alone while a process of that run is connected, even after the process that started the run died', async () => {
        await using wire = await tapWire(server.url)
        const harness = await createHarness({ server: existing(wire.url), migrate })
        const database = await harness.lease()
        const own = (await names()).filter((name) => name.includes(harness.handle.run))
        expect(own.length).toBeGreaterThan(1)
        wire.cut()
        await expect(database.reset()).rejects.toMatchObject({ code: 'server' })
        await database.reset()
        const next = await createHarness({ server: existing(server.url), migrate })
        expect(await names()).toEqual(expect.arrayContaining(own))
        await next.close()
        await database.release()
        const last = await createHarness({ server: existing(server.url), migrate })
        expect((await names()).filter((name) => own.includes(name))).toEqual([])
        await last.close()
        await harness.close()
      })

      // PostgreSQL clones a database in one statement.
      it.skipIf(server.engine === 'postgres')(
        'is never leased if it is a partial clone, and is dropped',
        async () => {
          await using wire = await tapWire(server.url)
          const dead = await createHarness({
            server: existing(wire.url),
            migrate: async (context) => {
              await migrate(context)
              await ask(
                { ...server, url: context.url },
                'CREATE TABLE filled (id int); INSERT INTO filled VALUES (1); CREATE VIEW v AS SELECT id FROM t',
              )
            },
          })
          await dead.lease()
          const { run, template } = dead.handle
          const own = async () => (await names()).filter((name) => name.includes(run))
          const before = await own()
          // The clone has tables, of which one is empty in the baseline too, but neither all rows nor its view.
          const holder = await hold(server, `LOCK TABLES ${template}.filled WRITE`)
          const copying = dead.lease().catch((error: unknown) => String(error))
          await expect.poll(own).toHaveLength(before.length + 1)
          const half = (await own()).find((name) => !before.includes(name)) ?? ''
          await expect
            .poll(() =>
              ask(
                server,
                `SELECT 1 AS one FROM information_schema.tables WHERE table_schema = '${half}' LIMIT 1`,
              ),
            )
            .toEqual([{ one: 1 }])
          wire.cut()
          expect(await copying).toMatch(/Could not clone/)
          await holder.close()
          await setTimeout(1000)
          const again = await leaseFrom({ ...dead.handle, adminUrl: server.url }, { slot: 2 })
          expect(again.name).toBe(half)
          expect(await ask({ ...server, url: again.url }, 'SELECT * FROM v')).toEqual([])
          await again.release()
          await using _next = await createHarness({ server: existing(server.url), migrate })
          expect(await own()).toEqual([])
          await dead.close()
        },
      )

      it('is dropped by the next run, unless it has no mark', async () => {
        const stray = 'afresh_afresh_aaaaaaaaaa_1'
        await ask(server, `CREATE DATABASE ${stray}`)
        try {
          await using alive = await createHarness({ server: existing(server.url), migrate })
          await using database = await alive.lease()
          await using wire = await tapWire(server.url)
          const dead = await createHarness({ server: existing(wire.url), migrate })
          const orphan = `${database.name.split('_').slice(0, -2).join('_')}_${dead.handle.run}_1`
          expect(await names()).toContain(orphan)
          // Looks like a SIGKILL to the server.
          wire.cut()
          await setTimeout(200)
          const next = await createHarness({ server: existing(server.url), migrate })
          expect(await names()).not.toContain(orphan)
          expect(await names()).toEqual(expect.arrayContaining([database.name, stray]))
          await next.close()
          await dead.close()
          expect(await database.verify()).toEqual([])
        } finally {
          await ask(server, `DROP DATABASE ${stray}`)
        }
      })
    })
  })
}

describeOn('postgres:18', (server) => {
  describe('the guard', () => {
    afterEach(() => {
      process.env.NODE_ENV = 'test'
    })

    it('refuses a mark of another database: a restored dump', () =>
      withDatabase(server, 'restored', ROWS, async (db) => {
        await ask(
          db,
          `COMMENT ON DATABASE restored IS 'afresh:v1:7000000000000000000:16384:0123456789abcdef'`,
        )
        await expect(attach(db.url)).rejects.toThrow(/its mark was made for another database/)
        expect(await count(db)).toBe(2)
      }))

    it('keeps the comment of a database', () =>
      withDatabase(server, 'commented', 'CREATE TABLE customers (id int PRIMARY KEY)', async (db) => {
        await ask(db, `COMMENT ON DATABASE commented IS 'my notes'`)
        const comment = async () => {
          const [row] = await ask(
            db,
            `SELECT shobj_description(oid, 'pg_database') AS text FROM pg_database WHERE datname = 'commented'`,
          )
          return row?.text
        }
        const database = await attach(db.url)
        expect(await comment()).toMatch(/^my notes\nafresh:v1:/)
        await database.release()
        expect(await comment()).toBe('my notes')
      }))

    it('refuses to work in production', () =>
      withDatabase(server, 'in_production', 'CREATE TABLE customers (id int PRIMARY KEY)', async (db) => {
        process.env.NODE_ENV = 'production'
        await expect(attach(db.url)).rejects.toThrow(/NODE_ENV is "production"/)
        await expect(createHarness({ server: existing(db.url) })).rejects.toThrow(RefusedError)
      }))

    it('refuses a database with sessions of other users, and names them', () =>
      withDatabase(server, 'in_use', 'CREATE TABLE customers (id int PRIMARY KEY)', async (db) => {
        await ask(server, `DROP ROLE IF EXISTS colleague; CREATE ROLE colleague LOGIN PASSWORD 'pw'`)
        const theirs = new URL(db.url)
        theirs.username = 'colleague'
        theirs.password = 'pw'
        const client = new pg.Client({
          connectionString: theirs.toString(),
          application_name: 'psql of a colleague',
        })
        client.on('error', () => {})
        await client.connect()
        try {
          await expect(attach(db.url)).rejects.toThrow(
            /Other sessions are connected.*\n.*colleague.*psql of a colleague/,
          )
        } finally {
          await client.end()
        }
        await using _ = await attach(db.url)
      }))

    it('ignores the health check of a container as long as it runs no query', () =>
      withDatabase(server, 'checked', 'CREATE TABLE customers (id int PRIMARY KEY)', async (db) => {
        await ask(server, `DROP ROLE IF EXISTS checker; CREATE ROLE checker LOGIN PASSWORD 'pw'`)
        const theirs = new URL(db.url)
        theirs.username = 'checker'
        theirs.password = 'pw'
        const client = new pg.Client({
          connectionString: theirs.toString(),
          application_name: 'pg_isready',
        })
        client.on('error', () => {})
        await client.connect()
        try {
          await (await attach(db.url)).release()
          await client.query('SELECT 1')
          await expect(attach(db.url)).rejects.toThrow(/Other sessions are connected.*\n.*checker/)
        } finally {
          await client.end()
        }
      }))

    it('detects sessions of which an ordinary role sees little', () =>
      withDatabase(server, 'in_use_by_boss', 'CREATE TABLE customers (id int PRIMARY KEY)', async (db) => {
        await ask(server, `DROP ROLE IF EXISTS clerk; CREATE ROLE clerk LOGIN PASSWORD 'pw'`)
        await ask(server, 'ALTER DATABASE in_use_by_boss OWNER TO clerk')
        await ask(db, 'ALTER TABLE customers OWNER TO clerk')
        const theirs = new URL(db.url)
        theirs.username = 'clerk'
        theirs.password = 'pw'
        const boss = new pg.Client({ connectionString: db.url })
        boss.on('error', () => {})
        await boss.connect()
        try {
          await expect(attach(theirs.toString())).rejects.toThrow(/Other sessions are connected/)
        } finally {
          await boss.end()
          await ask(server, 'ALTER DATABASE in_use_by_boss OWNER TO CURRENT_USER')
        }
      }))

    it('does not mistake rows hidden by row security for empty tables', () =>
      withDatabase(server, 'hidden_rows', ROWS, async (db) => {
        await ask(server, `DROP ROLE IF EXISTS tenant; CREATE ROLE tenant LOGIN PASSWORD 'pw'`)
        await ask(server, 'ALTER DATABASE hidden_rows OWNER TO tenant')
        await ask(
          db,
          `ALTER TABLE customers OWNER TO tenant; ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
           ALTER TABLE customers FORCE ROW LEVEL SECURITY`,
        )
        const theirs = new URL(db.url)
        theirs.username = 'tenant'
        theirs.password = 'pw'
        await expect(attach(theirs.toString())).rejects.toThrow(/row-level security/)
        const [row] = await ask(
          db,
          `SELECT shobj_description(oid, 'pg_database') AS mark FROM pg_database WHERE datname = 'hidden_rows'`,
        )
        expect(row?.mark).toBeNull()
        await ask(server, 'ALTER DATABASE hidden_rows OWNER TO CURRENT_USER')
      }))

    it('checks the host that the driver connects to, not the one in the URL', async () => {
      await using _rows = await rowsOn(server)
      const [row] = await ask(server, 'SELECT host(inet_server_addr()) AS host')
      const parameter = new URL(server.url)
      parameter.searchParams.set('host', String(row?.host))
      parameter.port = '5432'
      await expect(createHarness({ server: existing(parameter.toString()) })).rejects.toThrow(
        /is not on this machine/,
      )
      const client = new pg.Client({ connectionString: parameter.toString() })
      await client.connect()
      await expect(attach(client)).rejects.toThrow(/is not on this machine/)
      await client.end()
      const silent = `postgres:///postgres?user=postgres`
      process.env.PGHOST = String(row?.host)
      process.env.PGPASSWORD = decodeURIComponent(new URL(server.url).password)
      process.env.PGUSER = new URL(server.url).username
      try {
        await expect(createHarness({ server: existing(silent) })).rejects.toThrow(/is not on this machine/)
      } finally {
        for (const name of ['PGHOST', 'PGPASSWORD', 'PGUSER']) delete process.env[name]
      }
    })

    it('refuses a remote server with rows, unless the configuration names exactly that one', async () => {
      await using _rows = await rowsOn(server)
      const [row] = await ask(
        server,
        `SELECT host(inet_server_addr()) AS host, system_identifier::text AS id FROM pg_control_system()`,
      )
      const elsewhere = new URL(server.url)
      elsewhere.host = `${row?.host}:5432`
      const open = (allow: string[]) => createHarness({ server: existing(elsewhere.toString()), allow })
      await expect(open([])).rejects.toThrow(/is not on this machine, and afresh did not start it/)
      await expect(open([`${row?.host}:5432#1`])).rejects.toThrow(RefusedError)
      await using harness = await open([`${row?.host}:5432#${row?.id}`])
      expect(harness.title).toMatch(/PostgreSQL 18/)
    })

    it('refuses a standby', async () => {
      const container = await startPublished(
        await getContainerRuntimeClient(),
        new PostgreSqlContainer('postgres:18'),
      )
      try {
        await container.exec(['touch', '/var/lib/postgresql/18/docker/standby.signal'])
        await container.restart()
        await expect(createHarness({ server: existing(container.getConnectionUri()) })).rejects.toThrow(
          /is a standby/,
        )
        await expect(attach(container.getConnectionUri())).rejects.toThrow(/is a standby/)
      } finally {
        await container.stop()
      }
    })
  })
})
