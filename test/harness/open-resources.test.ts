import mysql from 'mysql2/promise'
import pg from 'pg'
import { expect, it } from 'vitest'
import { createHarness, existing, type TestDatabase } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { describeOn, engines, type ServerAtHand } from '../support/servers.ts'

interface Client {
  run(sql: string): Promise<unknown>
  end(): Promise<void>
}

async function clientOf({ engine }: ServerAtHand, { url }: TestDatabase): Promise<Client> {
  if (engine === 'postgres') {
    const client = new pg.Client({ connectionString: url, application_name: 'the test' })
    client.on('error', () => {})
    await client.connect()
    return { run: (sql) => client.query(sql), end: () => client.end().catch(() => {}) }
  }
  const client = await mysql.createConnection(url)
  client.on('error', () => {})
  return { run: (sql) => client.query(sql), end: () => client.end().catch(() => {}) }
}

const SLEEP = { postgres: 'SELECT pg_sleep(30)', mysql: 'SELECT SLEEP(30)', mariadb: 'SELECT SLEEP(30)' }

for (const { id } of engines) {
  describeOn(id, (server) => {
    async function onDatabase(
      body: (database: TestDatabase, client: Client) => Promise<void>,
    ): Promise<void> {
      const migrate = async ({ url }: { url: string }) => {
        await ask({ ...server, url }, 'CREATE TABLE t (id int PRIMARY KEY)')
      }
      await using harness = await createHarness({ server: existing(server.url), migrate })
      await using database = await harness.lease()
      const client = await clientOf(server, database)
      try {
        await expect.poll(() => database.openResources()).toEqual([])
        await body(database, client)
      } finally {
        await client.end()
      }
    }
    const kinds = async (database: TestDatabase) => (await database.openResources()).map(({ kind }) => kind)

    it('a transaction that was left open, until it ends', () =>
      onDatabase(async (database, client) => {
        await client.run('BEGIN')
        await client.run('INSERT INTO t VALUES (1)')
        // MySQL and MariaDB respond slightly before a statement ends.
        await expect.poll(() => kinds(database)).toEqual(['open transaction'])
        const [hold] = await database.openResources()
        if (server.engine === 'postgres') expect(hold?.text).toMatch(/\(the test\).*INSERT INTO t VALUES/)
        expect(await database.openResources()).toEqual([hold])
        await client.run('COMMIT')
        await expect.poll(() => database.openResources()).toEqual([])
        // MariaDB reports only transactions that have written.
        if (server.engine === 'mariadb') return
        await client.run('BEGIN')
        await client.run('SELECT * FROM t')
        await expect.poll(() => kinds(database)).toEqual(['open transaction'])
        const [next] = await database.openResources()
        if (server.engine === 'postgres') expect(next?.id).not.toBe(hold?.id)
      }))

    it('a statement that is not awaited, and ends it with its session', () =>
      onDatabase(async (database, client) => {
        const asleep = client.run(SLEEP[server.engine]).then(
          () => 'over',
          () => 'ended',
        )
        await expect.poll(() => kinds(database)).toEqual(['running statement'])
        expect((await database.openResources())[0]?.text).toContain(SLEEP[server.engine])
        // No session here has this number, so nothing may be ended.
        await database.endOpenResources([{ id: '', kind: 'running statement', session: 2 ** 30, text: '' }])
        expect(await kinds(database)).toEqual(['running statement'])
        await database.endOpenResources(await database.openResources())
        expect(await asleep).toBe('ended')
        await expect.poll(() => kinds(database)).toEqual([])
      }))

    if (server.engine === 'mariadb') return
    it('an advisory lock', () =>
      onDatabase(async (database, client) => {
        await client.run(
          server.engine === 'postgres' ? 'SELECT pg_advisory_lock(42)' : `SELECT GET_LOCK('forty-two', 0)`,
        )
        const name = server.engine === 'postgres' ? '42' : 'forty-two'
        // MySQL and MariaDB respond slightly before a statement ends.
        await expect
          .poll(() => database.openResources())
          .toEqual([expect.objectContaining({ kind: 'advisory lock', text: expect.stringContaining(name) })])
      }))

    if (server.engine !== 'postgres') return
    it('a temporary table, a setting of the database, and no idle session', () =>
      onDatabase(async (database, client) => {
        await client.run('CREATE TEMP TABLE forgotten (id int)')
        await client.run(`ALTER DATABASE "${database.name}" SET work_mem = '1MB'`)
        expect((await database.openResources()).map(({ kind, text }) => `${kind}: ${text}`).sort()).toEqual([
          'setting of the database: work_mem=1MB',
          'temporary table: forgotten',
        ])
      }))
  })
}
