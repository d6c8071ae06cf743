import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AfreshError, container, createHarness, embedded, existing, type Harness } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { hold } from '../support/hold.ts'
import { describeOn, oneOfEach, type ServerAtHand } from '../support/servers.ts'

const SCHEMA = `CREATE TABLE users (id int PRIMARY KEY); CREATE TABLE audit (user_id int, FOREIGN KEY (user_id) REFERENCES users (id))`

async function databaseNames(server: ServerAtHand): Promise<string[]> {
  const sql =
    server.engine === 'postgres'
      ? 'SELECT datname AS name FROM pg_database'
      : 'SELECT schema_name AS name FROM information_schema.schemata'
  const names = (await ask(server, sql)).map((row) => String(row.name))
  // MySQL and MariaDB keep the marks in this database, which stays.
  return names.filter((name) => name !== 'afresh_registry').sort()
}

/** The error of a harness that fails to start. */
async function failure(harness: Promise<Harness>): Promise<AfreshError> {
  try {
    await (await harness).close()
  } catch (error) {
    if (error instanceof AfreshError) return error
    throw error
  }
  throw new Error('the harness came up')
}

function changed(url: string, change: (url: URL) => void): string {
  const other = new URL(url)
  change(other)
  return other.toString()
}

for (const { id } of oneOfEach) {
  describeOn(id, (server) => {
    const onSchema = (options: { keep?: string[]; lockTimeoutMs?: number } = {}) =>
      createHarness({
        ...options,
        server: existing(server.url),
        migrate: async ({ url }) => {
          await ask({ ...server, url }, SCHEMA)
        },
      })

    describe('a server that cannot be used', () => {
      it.each([
        ['a wrong password', (url: URL) => (url.password = 'wrong'), /let.*in|password|denied/i],
        ['a port without a server', (url: URL) => (url.port = '1'), /No server is listening|refused/i],
        [
          'a host that is not known',
          (url: URL) => (url.hostname = 'no-such-host.invalid'),
          /not known|ENOTFOUND/i,
        ],
        [
          'a database that is not there',
          (url: URL) => (url.pathname = '/no_such_database'),
          /no_such_database/,
        ],
      ])('%s: one clear error with the next step, and without secrets', async (_, change, message) => {
        const before = await databaseNames(server)
        const error = await failure(createHarness({ server: existing(changed(server.url, change)) }))
        expect(error.code).toBe('server')
        expect(error.message).toMatch(message)
        expect(error.next).toBeTruthy()
        expect(error.message).not.toContain(new URL(server.url).password)
        expect(await databaseNames(server)).toEqual(before)
      })
    })

    describe('a baseline that cannot be created', () => {
      it('reports file, line and statement, and leaves no database behind', async () => {
        const folder = mkdtempSync(join(tmpdir(), 'afresh-failing-'))
        writeFileSync(join(folder, '1.sql'), 'CREATE TABLE t (id int);\n\nINSERT INTO missing VALUES (1);\n')
        const before = await databaseNames(server)
        const error = await failure(
          createHarness({ server: existing(server.url), migrate: '.', cwd: folder }),
        )
        expect(error.code).toBe('baseline')
        expect(error.message).toMatch(/1\.sql:3: .*missing[\s\S]*INSERT INTO missing/)
        expect(await databaseNames(server)).toEqual(before)
      })

      it('includes the message of a function or a command', async () => {
        const failing = async () => {
          throw new Error('my migration tool broke')
        }
        const before = await databaseNames(server)
        const byFunction = await failure(createHarness({ server: existing(server.url), migrate: failing }))
        expect(byFunction.message).toContain('my migration tool broke')
        const command = { command: 'echo could not apply 003 >&2; exit 7' }
        const byCommand = await failure(createHarness({ server: existing(server.url), migrate: command }))
        expect(byCommand.message).toMatch(/7[\s\S]*could not apply 003/)
        expect(await databaseNames(server)).toEqual(before)
      })
    })

    describe('a plan that cannot be built', () => {
      it.each([
        ['misspelt', /`keep` names tables that are not there: misspelt/],
        ['child', /"child" is kept, but deleting from "parent" would reach it/],
      ])('for keep: %s leaves no database behind', async (keep, message) => {
        const migrate = async ({ url }: { url: string }) => {
          await ask(
            { ...server, url },
            `CREATE TABLE parent (id int PRIMARY KEY);
             CREATE TABLE child (id int, FOREIGN KEY (id) REFERENCES parent (id) ON DELETE CASCADE)`,
          )
        }
        const before = await databaseNames(server)
        const error = await failure(createHarness({ server: existing(server.url), migrate, keep: [keep] }))
        expect(error.message).toMatch(message)
        expect(await databaseNames(server)).toEqual(before)
      })
    })

    describe('a reset that cannot continue', () => {
      it('names what blocks it within bounded time, and works once that has ended', async () => {
        await using harness = await onSchema({ lockTimeoutMs: 1000 })
        await using database = await harness.lease()
        const straggler = await hold({ ...server, url: database.url }, 'INSERT INTO users VALUES (1)')
        const error = await database.reset().catch((reason: unknown) => reason)
        expect(error).toMatchObject({ name: 'ResetError', code: 'blocked' })
        // MariaDB does not report the last statement of an idle connection, only the connection.
        expect(String(error)).toMatch(/INSERT INTO users VALUES \(1\)|connection \d+ .*1 rows written/)
        await straggler.commit()
        await database.reset()
        expect(await ask({ ...server, url: database.url }, 'SELECT * FROM users')).toEqual([])
      })

      it('reports step, table and cause, changes nothing, and the next one recovers', async () => {
        await using harness = await onSchema({ keep: ['audit'] })
        await using database = await harness.lease()
        const db = { ...server, url: database.url }
        await ask(db, 'INSERT INTO users VALUES (1); INSERT INTO audit VALUES (1);')
        const error = await database.reset().catch((reason: unknown) => reason)
        expect(error).toMatchObject({
          name: 'ResetError',
          failed: { table: expect.stringContaining('audit') },
        })
        expect(await ask(db, 'SELECT user_id FROM audit')).toHaveLength(1)
        await ask(db, 'DELETE FROM audit')
        await database.reset()
        expect(await database.verify()).toEqual([])
      })
    })
  })
}

describeOn('postgres:18', (server) => {
  it('a role that may not create databases is named in the error', async () => {
    await ask(server, `DROP ROLE IF EXISTS powerless; CREATE ROLE powerless LOGIN PASSWORD 'pw'`)
    const url = changed(server.url, (target) => {
      target.username = 'powerless'
      target.password = 'pw'
    })
    const error = await failure(createHarness({ server: existing(url) }))
    expect(error.message).toMatch(/"powerless" may not create databases/)
    expect(error.next).toMatch(/CREATEDB/)
  })
})

describeOn('embedded:18', () => {
  it('a server that stops during a reset fails the reset without hanging, and is cleaned up', async () => {
    const harness = await createHarness({
      server: embedded(),
      lockTimeoutMs: 60_000,
      migrate: async ({ url }) => {
        await ask({ engine: 'postgres', url }, SCHEMA)
      },
    })
    const database = await harness.lease()
    const target = { engine: 'postgres' as const, url: database.url }
    const straggler = await hold(target, 'INSERT INTO users VALUES (1)')
    const reset = database.reset()
    const [row] = await ask(
      { engine: 'postgres', url: harness.handle.adminUrl },
      `SELECT pg_read_file('postmaster.pid') AS pid`,
    )
    process.kill(Number(String(row?.pid).split('\n')[0]), 'SIGQUIT')
    await expect(reset).rejects.toMatchObject({ name: 'ResetError', code: 'server' })
    await expect(database.reset()).rejects.toMatchObject({ code: 'server' })
    await straggler.close()
    await database.release()
    await harness.close()
  })
})

describe('a baseline that exceeds the memory in which the server keeps its files', () => {
  const full = {
    'embedded:18': [
      embedded({ data: 'memory' }),
      `DO $$ BEGIN RAISE 'could not extend file "base/1/2": No space left on device' USING ERRCODE = '53100'; END $$`,
    ],
    'mariadb:11.8': [
      container('mariadb:11.8'),
      `SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'The table ''users'' is full'`,
    ],
  } as const
  for (const id of ['embedded:18', 'mariadb:11.8'] as const) {
    describeOn(id, ({ engine }) => {
      it.skipIf(id === 'embedded:18' && process.platform !== 'linux')(
        'fails with an error that says how to keep them on a disk',
        async () => {
          const [server, sql] = full[id]
          const migrate = async ({ url }: { url: string }) => {
            await ask({ engine, url }, sql)
          }
          const error = await failure(createHarness({ server, migrate }))
          expect(error.code).toBe('baseline')
          expect(error.message).toMatch(
            /^The migrate function failed: .*(No space left|is full).*\n {2}→ The server's files/,
          )
          expect(error.next).toMatch(/keep them on a disk, (embedded|container)\(.*data: 'disk' \}\)\.$/)
        },
      )
    })
  }
})

describe('options', () => {
  it('are all reported at once if several are invalid', async () => {
    const options: object = {
      server: 'oracle:23',
      strategy: 'drop',
      keep: 'users',
      lockTimeoutMs: -1,
      verbose: true,
    }
    const error = await failure(createHarness(options))
    expect(error.code).toBe('usage')
    for (const name of ['strategy', 'keep', 'lockTimeoutMs', 'verbose']) expect(error.message).toContain(name)
  })

  it('that name no server are rejected with the valid forms', async () => {
    const error = await failure(createHarness({ server: 'oracle:23' }))
    expect(error.message).toMatch(/'oracle:23' names no server[\s\S]*postgres:18.*embedded/)
  })
})
