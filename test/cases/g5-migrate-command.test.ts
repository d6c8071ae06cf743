import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createHarness } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'afresh-g5-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(cwd, { recursive: true, force: true })
})

/**
 * A migration program that connects by the variables of its engine's clients, and writes its environment to a
 * file.
 */
const PROGRAM = `
const fs = require('node:fs')
fs.writeFileSync('environment.json', JSON.stringify(process.env))
const { createRequire } = require('node:module')
const require2 = createRequire(${JSON.stringify(import.meta.filename)})
const run = async () => {
  if (process.env.DATABASE_URL.startsWith('postgres')) {
    const { Client } = require2('pg')
    const client = new Client() // by PGHOST, PGDATABASE …
    await client.connect()
    await client.query(process.argv[2])
    await client.end()
  } else {
    const { MYSQL_HOST: host, MYSQL_TCP_PORT: port, MYSQL_USER: user, MYSQL_PWD: password, MYSQL_DATABASE: database } = process.env
    const client = await require2('mysql2/promise').createConnection({ host, port, user, password, database })
    await client.query(process.argv[2])
    await client.end()
  }
}
run().catch((error) => { console.error(error.message); process.exit(1) })
`

const migrate = (sql: string) => ({ command: `"${process.execPath}" migrate.cjs "${sql}"` })

const plain = (server: ServerAtHand): ServerAtHand =>
  server.engine === 'postgres' ? { ...server, url: `${server.url}?sslmode=disable&options=%20` } : server

/** A user's database that the environment variables point to. */
async function withUsersDatabase(server: ServerAtHand, body: (users: ServerAtHand) => Promise<void>) {
  await withDatabaseOn(server, 'g5_users', async (users) => {
    await ask(users, 'CREATE TABLE users (id int PRIMARY KEY)')
    await ask(users, 'INSERT INTO users VALUES (1)')
    const { hostname, port, username, password } = new URL(users.url)
    const postgres = {
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: username,
      PGPASSWORD: password,
      PGDATABASE: 'g5_users',
    }
    const mysql = {
      MYSQL_HOST: hostname,
      MYSQL_TCP_PORT: port,
      MYSQL_USER: username,
      MYSQL_PWD: password,
      MYSQL_DATABASE: 'g5_users',
    }
    const elsewhere = {
      PGSERVICE: 'users',
      PGHOSTADDR: '192.0.2.1',
      PGOPTIONS: '-c search_path=none',
      PGSSLMODE: 'require',
    }
    for (const [name, value] of Object.entries({ ...postgres, ...mysql, ...elsewhere }))
      vi.stubEnv(name, value)
    // `plain` overrides the environment, which would request TLS.
    await body(plain(users)).finally(() => vi.unstubAllEnvs())
  })
}

const environment = (): Record<string, string> =>
  JSON.parse(readFileSync(join(cwd, 'environment.json'), 'utf8'))

for (const id of ['embedded:18', 'postgres:18', 'mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    beforeEach(() => writeFileSync(join(cwd, 'migrate.cjs'), PROGRAM))

    it('a command connects to the template by the variables of its engine, whatever the environment says', async () => {
      await withUsersDatabase(server, async (users) => {
        const harness = await createHarness({
          server: server.url,
          cwd,
          migrate: migrate('CREATE TABLE orders (id int PRIMARY KEY)'),
          env: { DB_NAME: 'database', APP_URL: 'url' },
        })
        try {
          const database = await harness.lease()
          expect(
            await ask(plain({ ...server, url: database.url }), 'SELECT count(*) AS n FROM orders'),
          ).toBeDefined()
          await database.release()
          expect(environment().DB_NAME).toBe(harness.handle.template)
          expect(environment().APP_URL).toBe(environment().DATABASE_URL)
          for (const name of ['PGSERVICE', 'PGHOSTADDR', 'PGOPTIONS', 'PGSSLMODE'])
            if (server.engine === 'postgres') expect(environment()).not.toHaveProperty(name)
        } finally {
          await harness.close()
        }
        expect(await ask(users, 'SELECT id FROM users')).toHaveLength(1)
      })
    })

    it('a command cannot drop a table of the database in the environment', async () => {
      await withUsersDatabase(server, async (users) => {
        const starting = createHarness({ server: server.url, cwd, migrate: migrate('DROP TABLE users') })
        await expect(starting).rejects.toMatchObject({ code: 'baseline' })
        expect(await ask(users, 'SELECT id FROM users')).toHaveLength(1)
      })
    })

    it('a migration that creates nothing fails, and the error shows how to pass the database', async () => {
      const options = { server: server.url, cwd }
      await expect(createHarness({ ...options, migrate: { command: 'exit 0' } })).rejects.toThrow(
        /it created nothing[\s\S]*DB_NAME: 'database'/,
      )
      await expect(createHarness({ ...options, migrate: async () => {} })).rejects.toThrow(
        /it created nothing[\s\S]*migrate: async \(\{ url \}\)/,
      )
    })

    it('views and files without statements are accepted; a baseline without tables causes a warning', async () => {
      writeFileSync(join(cwd, 'empty.sql'), '-- nothing yet\n')
      for (const input of [migrate('CREATE VIEW one AS SELECT 1 AS n'), 'empty.sql', []]) {
        const harness = await createHarness({ server: server.url, cwd, migrate: input })
        expect(harness.warnings).toEqual([expect.stringContaining('no table')])
        await harness.close()
      }
      const asked = await createHarness({ server: server.url, cwd })
      expect(asked.warnings).toEqual([])
      await asked.close()
    })

    it('a failing migration shows no password', async () => {
      const { password } = new URL(server.url)
      const shown = async (migration: Parameters<typeof createHarness>[0]) => {
        const error: unknown = await createHarness({ server: server.url, cwd, ...migration }).catch(
          (thrown) => thrown,
        )
        return `${error} ${error instanceof Error ? `${error.cause} ${(error.cause as Error | undefined)?.stack}` : ''}`
      }
      const texts = [
        await shown({ migrate: { command: 'echo "$DATABASE_URL"; echo "$PGPASSWORD$MYSQL_PWD"; exit 1' } }),
        await shown({
          migrate: ({ url }) => {
            throw new Error(`cannot reach ${url}, password ${new URL(url).password}`)
          },
        }),
      ]
      for (const text of texts) {
        expect(text).toContain('***')
        expect(text).not.toContain(password)
      }
    })
  })
}

describe('a server URL that is invalid', () => {
  it('is reported without its password', async () => {
    await expect(createHarness({ server: 'postgres:/user:SECRET@host/x' })).rejects.toThrow(
      "'postgres:/user:***@host/x' names no server",
    )
  })
})
