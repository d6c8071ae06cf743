import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createHarness, type HarnessOptions } from '../../src/index.ts'
import { takeUsed, watchConnections } from '../../src/runner/core/connections.ts'
import {
  checkConnections,
  checkVariables,
  configuredIn,
  type TestTarget,
} from '../../src/runner/core/other-databases.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'afresh-g6-'))
  writeFileSync(join(cwd, 't.sql'), 'CREATE TABLE t (id int)')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(cwd, { recursive: true, force: true })
})

interface TestContext {
  /** The database of the test. */
  readonly own: string
  /** The development database. */
  readonly dev: string
  readonly lead: TestTarget
  /** The message for a test that has ended; `undefined` if there is none. */
  reported(environment?: NodeJS.ProcessEnv): string | undefined
}

/** A test database and a development database on an existing server. */
async function withTestContext(
  server: ServerAtHand,
  options: HarnessOptions,
  body: (context: TestContext) => Promise<void>,
) {
  await withDatabaseOn(server, 'shop_dev', async (dev) => {
    const harness = await createHarness({ server: server.url, cwd, migrate: 't.sql', ...options })
    const database = await harness.lease()
    const lead = { url: database.url, handle: harness.handle }
    watchConnections()
    takeUsed()
    try {
      await body({
        own: database.url,
        dev: dev.url,
        lead,
        reported: (environment = {}) => {
          try {
            checkConnections('a test', lead, environment)
            return undefined
          } catch (error) {
            return String(error)
          }
        },
      })
    } finally {
      await database.release()
      await harness.close()
    }
  })
}

async function usePg(config: pg.ClientConfig, sql = 'SELECT 1') {
  const client = new pg.Client(config)
  await client.connect()
  await client.query(sql)
  await client.end()
}

async function useMysql(config: mysql.ConnectionOptions, sql = 'SELECT 1') {
  const client = await mysql.createConnection(config)
  await client.query(sql)
  await client.end()
}

describeOn('embedded:18', (server) => {
  it('a session in another database is reported, with the variable that points there', async () => {
    await withTestContext(server, {}, async ({ dev, reported }) => {
      await usePg({ connectionString: dev })
      const text = reported({ DATABASE_URL: dev, DB_NAME: 'shop_dev', NODE_ENV: 'shop_dev' })
      expect(text).toContain('"a test", or what ran before it in this process, used another database')
      expect(text).toContain('a connection to the database "shop_dev" of PostgreSQL at 127.0.0.1:')
      expect(text).toContain('Nothing in this process has used its own')
      expect(text).toMatch(/DATABASE_URL is postgres:.*:\*\*\*@.*shop_dev, and was postgres:.*:\*\*\*@/)
      expect(text).toContain('the variable DB_NAME leads there: shop_dev')
      expect(text).not.toContain('NODE_ENV')
      expect(text).not.toContain(new URL(dev).password)
      expect(text).toContain("env: { DB_NAME: 'database' }")
      expect(reported()).toBeUndefined()
    })
  })

  it('a pool that an earlier test opened is reported each time it is used', async () => {
    await withTestContext(server, {}, async ({ dev, reported }) => {
      const pool = new pg.Pool({ connectionString: dev, max: 1 })
      await pool.query('SELECT 1')
      expect(reported()).toContain('shop_dev')
      expect(reported()).toBeUndefined()
      await pool.query('SELECT 1')
      expect(reported()).toContain('shop_dev')
      await pool.end()
    })
  })

  it("the test's own database, other leased databases and the server's default database are accepted", async () => {
    await withTestContext(server, {}, async ({ own, lead, reported }) => {
      await usePg({ connectionString: own })
      await usePg({ connectionString: server.url })
      const harness = await createHarness({ server: server.url })
      await using database = await harness.lease()
      await usePg({ connectionString: database.url })
      await harness.close()
      expect(reported()).toBeUndefined()
      expect(lead.handle.tests.otherDatabases).toBe('fail')
    })
  })

  it('a failed login is not reported', async () => {
    await withTestContext(server, {}, async ({ dev, reported }) => {
      await expect(usePg({ connectionString: dev.replace(/:[^:@]+@/, ':wrong@') })).rejects.toThrow()
      await expect(usePg({ connectionString: dev.replace('shop_dev', 'nowhere') })).rejects.toThrow()
      expect(reported()).toBeUndefined()
    })
  })

  it('can be allowed by name, turned into a warning, or ignored', async () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    try {
      for (const otherDatabases of [['shop_dev'], 'ignore', 'warn'] as const) {
        await withTestContext(server, { otherDatabases }, async ({ dev, reported }) => {
          await usePg({ connectionString: dev })
          expect(reported()).toBeUndefined()
        })
      }
      expect(write.mock.calls.flat().join('')).toMatch(/^afresh: "a test", or what/)
      expect(write.mock.calls.length).toBe(1)
      await withTestContext(server, { otherDatabases: ['audit'] }, async ({ dev, reported }) => {
        await usePg({ connectionString: dev })
        expect(reported()).toContain('shop_dev')
      })
    } finally {
      write.mockRestore()
    }
  })

  it('variables changed while a file was loaded are reported before its first test', async () => {
    await withTestContext(server, { env: { DB_NAME: 'database' } }, async ({ own, dev, lead }) => {
      const check = (environment: NodeJS.ProcessEnv) =>
        checkVariables(lead, configuredIn(environment, lead.handle))
      const name = new URL(own).pathname.slice(1)
      check({ DATABASE_URL: own, DB_NAME: name })
      check({ DATABASE_URL: `${own}?schema=public`, DB_NAME: name })
      check({ DATABASE_URL: own.replace('127.0.0.1', 'localhost') })
      expect(() => check({ DATABASE_URL: dev, DB_NAME: name })).toThrow(
        /DATABASE_URL was changed[\s\S]*override/,
      )
      expect(() => check({ DATABASE_URL: own, DB_NAME: 'shop_dev' })).toThrow(/DB_NAME was changed/)
    })
  })
})

for (const id of ['postgres:18'] as const) {
  describeOn(id, (server) => {
    it('a database of the same name on another server is reported', async () => {
      await withTestContext(server, {}, async ({ reported }) => {
        const other = await createHarness({ server: 'embedded' })
        try {
          await usePg({ connectionString: other.handle.adminUrl })
          expect(reported()).toContain('the database "postgres" of PostgreSQL at 127.0.0.1:')
        } finally {
          await other.close()
        }
      })
    })
  })
}

for (const id of ['mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    const ways: [string, mysql.ConnectionOptions][] = [
      ['plain', {}],
      ['compressed', { compress: true }],
    ]
    if (id === 'mysql:9.7') ways.push(['with TLS', { ssl: { rejectUnauthorized: false } }])
    it.each(ways)('a session in another database is reported (%s)', async (_, options) => {
      await withTestContext(server, {}, async ({ own, dev, reported }) => {
        await useMysql({ uri: own, ...options })
        expect(reported()).toBeUndefined()
        await useMysql({ uri: dev, ...options })
        expect(reported({ MYSQL_DATABASE: 'shop_dev' })).toMatch(
          /"shop_dev" of MySQL or MariaDB at [\s\S]*MYSQL_DATABASE/,
        )
      })
    })

    it('a session that changes to another database later is reported', async () => {
      await withTestContext(server, {}, async ({ own, reported }) => {
        const client = await mysql.createConnection({ uri: own })
        await client.query('USE shop_dev')
        await client.query('SELECT 1')
        expect(reported()).toContain('shop_dev')
        await client.changeUser({ database: new URL(own).pathname.slice(1) })
        reported()
        await client.query('SELECT 1')
        expect(reported()).toBeUndefined()
        await client.changeUser({ database: 'shop_dev' })
        await client.query('SELECT 1')
        expect(reported()).toContain('shop_dev')
        await client.end()
      })
    })
  })
}
