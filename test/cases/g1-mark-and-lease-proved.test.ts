import pg from 'pg'
import { describe, expect, it } from 'vitest'
import {
  adopt,
  attach,
  createHarness,
  eraseFrom,
  existing,
  purgeFrom,
  RefusedError,
  type TestDatabase,
} from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { describeOn, oneOfEach, type ServerAtHand } from '../support/servers.ts'

const SCHEMA = [
  'CREATE TABLE users (id int PRIMARY KEY, deleted_at timestamp NULL)',
  `INSERT INTO users VALUES (1, NULL), (2, '2020-01-01 00:00:00')`,
]

/** All operations that delete. */
const DELETES: Readonly<Record<string, (database: TestDatabase) => Promise<unknown>>> = {
  'a reset': (database) => database.reset(),
  'an erase': (database) => database.erase('users', [3]),
  'an erase in batches': (database) => database.erase('users', { id: { gte: 1 } }, { batch: 1 }),
  'an erase that keeps a copy': (database) => database.erase('users', [3], { archive: true }),
  'a soft delete': (database) => database.erase('users', [3], { softDelete: 'deleted_at' }),
  'a purge': (database) => database.purge(),
}

const handOver = (url: string) => adopt(url, { confirm: async ({ confirmation }) => confirmation })

async function loseMark(server: ServerAtHand, name: string): Promise<void> {
  await ask(
    server,
    server.engine === 'postgres' ? `COMMENT ON DATABASE ${name} IS NULL` : `DROP TABLE ${name}.afresh_mark`,
  )
}

for (const { id } of oneOfEach) {
  describeOn(id, (server) => {
    const name = `case_g1_${process.env.VITEST_POOL_ID}`
    const ids = (db: ServerAtHand) => ask(db, 'SELECT id FROM users ORDER BY id')

    it.each(Object.entries(DELETES))(
      '%s is refused once the mark is gone, and nothing is deleted',
      (_, work) =>
        withDatabaseOn(server, name, async (db) => {
          for (const statement of SCHEMA) await ask(db, statement)
          await handOver(db.url)
          await using database = await attach(db.url)
          await loseMark(server, name)
          await ask(db, 'INSERT INTO users VALUES (3, NULL)')
          await expect(work(database)).rejects.toThrow(RefusedError)
          expect(await ids(db)).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }])
          expect(await ask(db, 'SELECT id FROM users WHERE deleted_at IS NOT NULL')).toEqual([{ id: 2 }])
        }),
    )

    it('erase and purge by URL refuse a database without a mark', () =>
      withDatabaseOn(server, name, async (db) => {
        for (const statement of SCHEMA) await ask(db, statement)
        await expect(eraseFrom(db.url, 'users', [1])).rejects.toThrow(RefusedError)
        await expect(purgeFrom(db.url)).rejects.toThrow(RefusedError)
        expect(await ids(db)).toEqual([{ id: 1 }, { id: 2 }])
      }))

    it('an erase is refused after the session that holds the lease has ended (G7)', async () => {
      const migrate = async ({ url }: { url: string }) => {
        for (const statement of SCHEMA) await ask({ ...server, url }, statement)
      }
      await using harness = await createHarness({ server: existing(server.url), migrate })
      await using database = await harness.lease()
      const db = { ...server, url: database.url }
      await ask(db, 'INSERT INTO users VALUES (3, NULL)')
      // Opens the erase's own connection, which survives.
      await database.erase('users', [99])
      const [holder] = await ask(
        db,
        server.engine === 'postgres'
          ? `SELECT pg_terminate_backend(l.pid, 5000) FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
             WHERE l.locktype = 'advisory' AND a.datname = current_database()`
          : `SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID() ORDER BY id LIMIT 1`,
      )
      if (server.engine !== 'postgres') {
        await ask(db, `KILL ${String(holder?.id)}`)
        await expect
          .poll(
            async () =>
              (await ask(db, `SELECT 1 FROM information_schema.processlist WHERE id = ${String(holder?.id)}`))
                .length,
          )
          .toBe(0)
      }
      await expect(database.erase('users', [3])).rejects.toThrow(/lease/)
      expect(await ids(db)).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }])
      // The reset after a lost connection leases again.
      await database.reset().catch(() => {})
      await database.reset()
      expect(await ids(db)).toEqual([{ id: 1 }, { id: 2 }])
      expect((await database.erase('users', [2])).rows).toBe(1)
    })

    it('an adopted database is never dropped, whatever its name (G10)', async () => {
      const run = 'aaaaaaaaaa'
      const adopted = `afresh_shop_${run}_1`
      await withDatabaseOn(server, adopted, async (db) => {
        for (const statement of SCHEMA) await ask(db, statement)
        await handOver(db.url)
        const harness = await createHarness({ server: existing(server.url) })
        await harness.close()
        expect(await ids(db)).toEqual([{ id: 1 }, { id: 2 }])
      })
    })
  })
}

describeOn('postgres:18', (server) => {
  describe('a mark', () => {
    it('is invalid after the database is renamed (G11)', () =>
      withDatabaseOn(server, 'g11_before', async (db) => {
        await ask(db, SCHEMA[0] ?? '')
        await ask(db, SCHEMA[1] ?? '')
        await handOver(db.url)
        await ask(server, 'ALTER DATABASE g11_before RENAME TO g11_after')
        try {
          await expect(attach(db.url.replace('g11_before', 'g11_after'))).rejects.toThrow(RefusedError)
        } finally {
          await ask(server, 'ALTER DATABASE g11_after RENAME TO g11_before')
        }
      }))
  })

  it('its sessions survive idle timeouts of the server, database or role (G7, P10)', async () => {
    await using harness = await createHarness({
      server: existing(server.url),
      migrate: async ({ url }) => {
        await ask({ ...server, url }, 'CREATE TABLE users (id int PRIMARY KEY)')
        const database = new URL(url).pathname.slice(1)
        const settings = {
          idle_session_timeout: `'1s'`,
          transaction_timeout: `'1s'`,
          statement_timeout: `'1s'`,
          default_transaction_read_only: 'on',
          array_nulls: 'off',
        }
        for (const [setting, value] of Object.entries(settings))
          await ask(server, `ALTER DATABASE ${database} SET ${setting} = ${value}`)
      },
    })
    await using database = await harness.lease()
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    await client.query('SET default_transaction_read_only = off')
    await client.query('INSERT INTO users VALUES (1)')
    await client.end()
    expect((await database.reset()).dirty).toEqual(['users'])
    expect((await database.reset()).dirty).toEqual([])
    await database.erase('users', [1])
  })
})

for (const id of ['mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    it('its sessions survive idle timeouts of the server (G7)', async () => {
      const [before] = await ask(server, 'SELECT @@global.wait_timeout AS seconds')
      await ask(server, 'SET GLOBAL wait_timeout = 1, GLOBAL interactive_timeout = 1')
      try {
        await using harness = await createHarness({
          server: existing(server.url),
          migrate: async ({ url }) =>
            void (await ask({ ...server, url }, 'CREATE TABLE users (id int PRIMARY KEY)')),
        })
        await using database = await harness.lease()
        await database.erase('users', [1])
        await new Promise((resolve) => setTimeout(resolve, 3_000))
        await ask({ ...server, url: database.url }, 'INSERT INTO users VALUES (1)')
        expect((await database.reset()).dirty).toEqual(['users'])
        await database.erase('users', [1])
      } finally {
        await ask(
          server,
          `SET GLOBAL wait_timeout = ${String(before?.seconds)}, GLOBAL interactive_timeout = ${String(before?.seconds)}`,
        )
      }
    })
  })
}
