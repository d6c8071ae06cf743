import { lookup } from 'node:dns/promises'
import { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { inspect } from 'node:util'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'
import { guardServer } from '../../src/database/guard.ts'
import { makeDatabase } from '../../src/database/lease.ts'
import { templateKey } from '../../src/database/template.ts'
import type { Databases } from '../../src/engine/databases.ts'
import { addressOf } from '../../src/engine/peer-address.ts'
import { open, wrap } from '../../src/engine/registry.ts'
import { attach, createHarness, existing, RefusedError } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'

async function onServer<T>(
  server: ServerAtHand,
  body: (opened: Awaited<ReturnType<typeof open>> & { readonly databases: Databases }) => Promise<T>,
): Promise<T> {
  const opened = await open(server.url)
  try {
    const { databases } = opened.engine
    if (databases === undefined) throw new Error('no server')
    return await body({ ...opened, databases })
  } finally {
    await opened.connection.close()
  }
}

const namesOn = (server: ServerAtHand) =>
  onServer(server, async ({ databases, connection }) =>
    (await databases.list(connection)).map(({ name }) => name),
  )

describeOn('embedded:18', (server) => {
  describe('a new database', () => {
    it('is dropped if connecting to it fails', async () => {
      await ask(server, `CREATE ROLE alone LOGIN CREATEDB CONNECTION LIMIT 1 PASSWORD 'pw'`)
      const url = new URL(server.url)
      url.username = 'alone'
      url.password = 'pw'
      const before = await namesOn(server)
      const made = onServer({ ...server, url: url.toString() }, ({ engine, databases, connection }) => {
        const source = { engine, databases, adminUrl: url.toString(), template: 'template1' }
        return makeDatabase(source, connection, 'afresh_left_aaaaaaaaaa_1')
      })
      await expect(made).rejects.toThrow(/has no free connection/)
      expect(await namesOn(server)).toEqual(before)
      await ask(server, 'DROP ROLE alone')
    })

    it('has the settings of its template, including an empty search path', () =>
      withDatabaseOn(server, 'with_settings', async ({ url }) => {
        const settings = [`SET search_path = ''`, `SET datestyle = 'ISO, DMY'`, `SET temp_tablespaces = ''`]
        for (const setting of settings) await ask(server, `ALTER DATABASE with_settings ${setting}`)
        await ask(
          server,
          `ALTER ROLE CURRENT_USER IN DATABASE with_settings SET search_path = "a, ""b""", public`,
        )
        const of = async (name: string) => {
          const rows = await ask(
            server,
            `SELECT setrole::text, setconfig::text FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
             WHERE datname = '${name}' ORDER BY 1`,
          )
          expect(rows).toHaveLength(2)
          return rows
        }
        await onServer(server, async ({ engine, databases, connection }) => {
          const source = { engine, databases, adminUrl: url, template: 'with_settings' }
          const {
            connection: copy,
            name,
            claim,
          } = await makeDatabase(source, connection, 'afresh_left_aaaaaaaaaa_1')
          expect(await of(name)).toEqual(await of('with_settings'))
          await copy.close()
          await databases.drop(connection, name, claim.mark)
        })
      }))
  })

  it('holds server-wide locks across databases', () =>
    withDatabaseOn(server, 'elsewhere', (elsewhere) =>
      onServer(server, (each) =>
        onServer(elsewhere, async (other) => {
          const everywhere = { everywhere: true }
          expect(await each.databases.tryLock(each.connection, 'it', everywhere)).toBe(true)
          expect(await other.databases.tryLock(other.connection, 'it', everywhere)).toBe(false)
          expect(await each.databases.isLocked(each.connection, 'it')).toBe(true)
          await each.databases.unlock(each.connection, 'it')
          expect(await other.databases.tryLock(other.connection, 'it', everywhere)).toBe(true)
        }),
      ),
    ))

  describe('an old template', () => {
    const notices: string[] = []
    const run = async (number: number) => {
      const harness = await createHarness({
        server: existing(server.url),
        project: 'many',
        migrate: async ({ url }) => void (await ask({ ...server, url }, `CREATE TABLE t_${number} (id int)`)),
        fingerprint: `number ${number}`,
        progress: ({ phase, label = '' }) => void (phase === 'notice' && notices.push(label)),
      })
      await harness.close()
    }
    const templates = async () => (await namesOn(server)).filter((name) => name.startsWith('afresh_many_t_'))
    afterEach(async () => {
      for (const name of await templates()) {
        await ask(server, `ALTER DATABASE ${name} IS_TEMPLATE false`)
        await ask(server, `DROP DATABASE ${name}`)
      }
    })

    it('that cannot be dropped does not prevent a run from starting, but causes a warning', async () => {
      await run(0)
      const [oldest = ''] = await templates()
      const url = new URL(server.url)
      url.pathname = `/${oldest}`
      const inside = { ...server, url: url.toString() }
      // A subscription prevents DROP DATABASE, and cannot be ended in a database that lets nobody connect.
      await ask(server, `ALTER DATABASE ${oldest} ALLOW_CONNECTIONS true`)
      await ask(
        inside,
        `CREATE SUBSCRIPTION held CONNECTION 'host=127.0.0.1' PUBLICATION p WITH (connect = false)`,
      )
      await ask(server, `ALTER DATABASE ${oldest} ALLOW_CONNECTIONS false`)
      for (let number = 1; number < 7; number++) await run(number)
      expect(notices.join('\n')).toMatch(/A template that is old could not be dropped: /)
      await ask(server, `ALTER DATABASE ${oldest} ALLOW_CONNECTIONS true`)
      await ask(inside, 'ALTER SUBSCRIPTION held SET (slot_name = NONE)')
      await ask(inside, 'DROP SUBSCRIPTION held')
    })

    it('is dropped even if it was made a template of the server', async () => {
      await run(0)
      const [oldest = ''] = await templates()
      await ask(server, `ALTER DATABASE ${oldest} IS_TEMPLATE true`)
      for (let number = 1; number < 7; number++) await run(number)
      expect(await templates()).not.toContain(oldest)
    })

    it('stays while another run creates its first clone', () =>
      onServer(server, async ({ databases, connection }) => {
        await run(0)
        const [oldest = ''] = await templates()
        await databases.tryLock(connection, templateKey(oldest))
        for (let number = 1; number < 7; number++) await run(number)
        expect(await templates()).toContain(oldest)
        await databases.unlock(connection, templateKey(oldest))
        await run(7)
        expect(await templates()).not.toContain(oldest)
      }))
  })

  it('leases a database again in which a killed worker still runs a statement', async () => {
    const migrate = async ({ url }: { url: string }) => {
      await ask({ ...server, url }, 'CREATE TABLE t (id int PRIMARY KEY)')
    }
    await using harness = await createHarness({ server: existing(server.url), migrate })
    const first = await harness.lease()
    await first.release()
    const worker = new pg.Client({ connectionString: first.url })
    const ended = new Promise((resolve) => worker.on('error', resolve))
    await worker.connect()
    await worker.query('BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE; INSERT INTO t VALUES (1)')
    await using second = await harness.lease()
    expect(second.name).toBe(first.name)
    await ended
    expect(await second.verify()).toEqual([])
  })

  it('shows no password of a URL that it cannot parse', async () => {
    const error = await attach('postgres://app:s3cr#t@localhost/shop').catch((reason: unknown) => reason)
    expect(inspect(error)).toContain('This is not a PostgreSQL URL')
    expect(inspect(error)).not.toContain('s3cr')
  })
})

describe('a client with its own stream', () => {
  const facts = {
    version: '18',
    systemIdentifier: '7',
    standby: false,
    mayCreateDatabases: true,
    privileges: '',
  }
  const guard = (address: string | undefined) =>
    guardServer({
      endpoint: { host: 'localhost', port: 5432, address },
      facts,
      startedByAfresh: false,
      allow: [],
    })

  it('is local if its socket is, whatever its host says', async () => {
    await guard(undefined)
    await guard('127.0.0.1')
    await expect(guard('203.0.113.5')).rejects.toThrow(RefusedError)
    await expect(guard('')).rejects.toThrow(/localhost:5432#7 is not on this machine/)
  })

  it('has no address when it is not connected, and an empty one for other streams', () => {
    expect(addressOf(undefined)).toBeUndefined()
    expect(addressOf(new Socket())).toBeUndefined()
    expect(addressOf(new PassThrough())).toBe('')
    expect(addressOf({ remoteAddress: '::ffff:127.0.0.1' })).toBe('127.0.0.1')
  })

  describeOn('embedded:18', (server) => {
    it('reports its remote address (pg)', async () => {
      const client = new pg.Client({ connectionString: server.url })
      await client.connect()
      expect((await wrap(client)).connection.endpoint?.address).toMatch(/^(127\.0\.0\.1|::1)$/)
      await client.end()
    })
  })

  describeOn('mariadb:11.8', (server) => {
    it('reports its remote address (mysql2)', async () => {
      const options = { uri: server.url, multipleStatements: true }
      const client = await mysql.createConnection(options)
      const { address } = await lookup(new URL(server.url).hostname)
      expect((await wrap(client)).connection.endpoint?.address).toBe(address)
      await client.end()
    })
  })
})
