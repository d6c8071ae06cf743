import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { engineNamed, open } from '../../src/engine/registry.ts'
import {
  AfreshError,
  adopt,
  createHarness,
  eraseFrom,
  existing,
  purgeFrom,
  type TestDatabase,
} from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { describeOn, type ServerAtHand, type ServerId, serverAtHand } from '../support/servers.ts'
import { tapWire, type Wire } from '../support/wire.ts'

const SCHEMA = [
  'CREATE TABLE users (id int PRIMARY KEY, deleted_at timestamp NULL)',
  "INSERT INTO users VALUES (1, NULL), (2, '2020-01-01 00:00:00')",
]
const ROWS = [{ id: 1 }, { id: 2 }, { id: 3 }]

const GIVING_BACK = (database: TestDatabase) => database.release()

/** What every write of a leased database does after its connections were re-routed. */
const WRITES: Readonly<Record<string, (database: TestDatabase) => Promise<unknown>>> = {
  'a reset': (database) => database.reset(),
  'an erase': (database) => database.erase('users', [3]),
  'an erase in batches': (database) => database.erase('users', { id: { gte: 1 } }, { batch: 1 }),
  'a purge': (database) => database.purge(),
  'giving it back': GIVING_BACK,
}

/** The mark of the database on the other server: it has none, or has that of the leased database, as a copy would. */
const MARKS = ['none', 'copied'] as const

/** The servers of one engine, of which the second is the one that connections are re-routed to. */
const PAIRS: readonly (readonly [ServerId, ServerId])[] = [
  ['postgres:18', 'postgres:17'],
  ['mysql:9.7', 'mysql:9.7-stock'],
  ['mariadb:11.8', 'mariadb:10.11'],
]

/** An account that both servers have, so that the other one lets re-routed connections in. */
const ACCOUNT = {
  postgres: {
    create: "CREATE ROLE rerouted SUPERUSER LOGIN PASSWORD 'rerouted'",
    drop: 'DROP ROLE IF EXISTS rerouted',
  },
  mysql: {
    create: "CREATE USER rerouted IDENTIFIED BY 'rerouted'; GRANT ALL ON *.* TO rerouted WITH GRANT OPTION",
    drop: 'DROP USER IF EXISTS rerouted',
  },
}

function accountOn({ engine }: ServerAtHand) {
  return engine === 'postgres' ? ACCOUNT.postgres : ACCOUNT.mysql
}

function asAccount(server: ServerAtHand): ServerAtHand {
  const url = new URL(server.url)
  Object.assign(url, { username: 'rerouted', password: 'rerouted' })
  return { ...server, url: url.toString() }
}

async function databasesOn(server: ServerAtHand): Promise<unknown> {
  return ask(
    server,
    server.engine === 'postgres'
      ? 'SELECT datname AS name FROM pg_database ORDER BY 1'
      : 'SELECT schema_name AS name FROM information_schema.schemata ORDER BY 1',
  )
}

async function copyMark(from: string, to: string): Promise<void> {
  const source = await open(from)
  const mark = await source.engine.ownership.read(source.connection)
  await source.connection.close()
  const target = await open(to)
  await target.engine.ownership.write(target.connection, mark ?? '')
  await target.connection.close()
}

/** The URL of the same database on another server, past the proxy. */
function sameNameOn(server: ServerAtHand, url: string): ServerAtHand {
  const name = new URL(url).pathname.slice(1)
  return { ...server, url: engineNamed(server.engine).databases?.urlOf(server.url, name) ?? '' }
}

async function fill(database: ServerAtHand): Promise<void> {
  for (const statement of [...SCHEMA, 'INSERT INTO users VALUES (3, NULL)']) await ask(database, statement)
}

for (const [id, otherId] of PAIRS) {
  describeOn(id, (near) => {
    const far = serverAtHand(otherId)
    if ('missing' in far) return describe.skip(`NOT RUN: ${otherId} (${far.missing})`, () => {})
    const [server, other] = [asAccount(near), asAccount(far)]
    beforeAll(async () => {
      for (const bare of [near, far]) await ask(bare, `${accountOn(bare).drop}; ${accountOn(bare).create}`)
    })
    afterAll(async () => {
      for (const bare of [near, far]) await ask(bare, accountOn(bare).drop)
    })
    const idsOf = (database: ServerAtHand) => ask(database, 'SELECT id FROM users ORDER BY id')

    const reroute = (wire: Wire) => {
      wire.redirect(other.url)
      wire.cut()
    }

    describe.each(MARKS)('a database of the same name on another server, mark: %s', (mark) => {
      it.each(Object.entries(WRITES))('%s leaves it unchanged', async (_, write) => {
        await using wire = await tapWire(server.url)
        await using harness = await createHarness({
          server: existing(wire.url),
          migrate: async ({ url }) => {
            for (const statement of SCHEMA) await ask({ ...server, url }, statement)
          },
        })
        await using database = await harness.lease()
        await withDatabaseOn(other, database.name, async (twin) => {
          await fill(twin)
          if (mark === 'copied') await copyMark(sameNameOn(server, database.url).url, twin.url)
          const before = await databasesOn(other)
          await ask(sameNameOn(server, database.url), 'INSERT INTO users VALUES (3, NULL)')
          reroute(wire)
          expect(
            await ask({ ...server, url: database.url }, 'SELECT id FROM users WHERE id = 3'),
          ).toHaveLength(1)
          // The first write finds the connection lost, the second one opens another.
          for (let attempt = 0; attempt < 2; attempt++) {
            const outcome = await write(database).catch((error: unknown) => error)
            // Giving it back is best effort; everything else has to fail.
            if (write !== GIVING_BACK) expect(outcome).toBeInstanceOf(AfreshError)
          }
          expect(await idsOf(twin)).toEqual(ROWS)
          expect(await databasesOn(other)).toEqual(before)
          wire.redirect(server.url)
          wire.cut()
        })
      })

      it.each([
        ['eraseFrom', (url: string) => eraseFrom(url, 'users', { id: { gte: 1 } }, { batch: 1 })],
        ['purgeFrom', (url: string) => purgeFrom(url, { batch: 1 })],
      ] as const)('%s by URL is refused', async (_, write) => {
        await using wire = await tapWire(server.url)
        await withDatabaseOn(server, `case_g12_${process.env.VITEST_POOL_ID}`, async (handedOver) => {
          await fill(handedOver)
          await adopt(handedOver.url, { confirm: async ({ confirmation }) => confirmation })
          await withDatabaseOn(other, new URL(handedOver.url).pathname.slice(1), async (twin) => {
            await fill(twin)
            if (mark === 'copied') await copyMark(handedOver.url, twin.url)
            reroute(wire)
            const url = new URL(wire.url)
            url.pathname = new URL(handedOver.url).pathname
            await expect(write(url.toString())).rejects.toMatchObject({ code: 'refused' })
            expect(await idsOf(twin)).toEqual(ROWS)
          })
        })
      })
    })
  })
}
