import { createHash } from 'node:crypto'
import pg from 'pg'
import { expect, it } from 'vitest'
import { type AttachOptions, createHarness, existing, type TestDatabase } from '../../../src/index.ts'
import { ask } from '../../support/ask.ts'
import { asPlainRole } from '../../support/plain-role.ts'
import { describeOn, type ServerAtHand, type ServerId } from '../../support/servers.ts'
import { randomFrom } from '../mysql/writes.ts'

/** Tables of more than a megabyte, whose rows no session captures, and one small one that refers to one. */
const SCHEMA = `
  CREATE TABLE small (id int PRIMARY KEY, note text);
  INSERT INTO small SELECT n, 'small' FROM generate_series(1, 5) AS n;
  CREATE TABLE wide (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text, twice int GENERATED ALWAYS AS (length(body) * 2) STORED);
  INSERT INTO wide (body) SELECT repeat('x', 200 + n % 7) FROM generate_series(1, 8000) AS n;
  CREATE TABLE child (id serial PRIMARY KEY, wide int NOT NULL REFERENCES wide ON DELETE CASCADE, at timestamptz, doc jsonb);
  INSERT INTO child (wide, at, doc) SELECT n, '2026-01-01 12:00+01', jsonb_build_object('a', repeat('z', 100)) FROM generate_series(1, 8000) AS n;
  CREATE TABLE parts (id int, kind int, body text, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind);
  CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
  CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
  INSERT INTO parts SELECT n, 1 + n % 2, repeat('y', 300) FROM generate_series(1, 5000) AS n`

type Pick = (below: number) => number

/** Statements whose writes are in a few blocks, in many, or leave none of the table's blocks. */
const WRITES: readonly ((pick: Pick) => string)[] = [
  (pick) => `UPDATE wide SET body = 'changed' WHERE id = ${1 + pick(8_000)}`,
  (pick) => `DELETE FROM wide WHERE id BETWEEN ${1 + pick(8_000)} AND ${1 + pick(8_000)}`,
  () => `INSERT INTO wide (body) SELECT 'new' FROM generate_series(1, 50)`,
  (pick) => `UPDATE child SET doc = '[]' WHERE id % ${200 + pick(400)} = 0`,
  (pick) => `DELETE FROM child WHERE id = ${1 + pick(8_000)}`,
  (pick) => `UPDATE parts SET kind = 3 - kind WHERE id = ${1 + pick(5_000)}`,
  (pick) => `DELETE FROM parts WHERE id % 100 = ${pick(100)}`,
  () => 'TRUNCATE child',
  () => 'TRUNCATE parts_2',
  () => 'VACUUM FULL child',
  () => 'CLUSTER wide USING wide_pkey',
  () => 'VACUUM wide, child, parts',
  () => `INSERT INTO small VALUES (6, 'new'); UPDATE small SET note = 'x' WHERE id = 1`,
  () => 'DELETE FROM wide',
]

const same = async (server: ServerAtHand) => server

interface Variant {
  readonly id: ServerId
  readonly role: string
  readonly as: (server: ServerAtHand) => Promise<ServerAtHand>
  readonly options?: AttachOptions
}

const VARIANTS: readonly Variant[] = [
  { id: 'embedded:18', role: 'superuser', as: same },
  // Its journal cannot be read.
  { id: 'postgres:15', role: 'superuser', as: same },
  { id: 'postgres:18', role: 'plain role', as: asPlainRole },
  { id: 'postgres:18', role: 'superuser, by TRUNCATE', as: same, options: { strategy: 'truncate' } },
]

const databasesOf = async (server: ServerAtHand) =>
  (
    await ask(
      server,
      `SELECT datname AS name FROM pg_database WHERE datname LIKE 'afresh\\_deferred\\_%' ORDER BY 1`,
    )
  ).map(({ name }) => String(name))

type Body = (server: ServerAtHand, leased: readonly [TestDatabase, TestDatabase]) => Promise<void>

async function withDatabases(server: ServerAtHand, options: AttachOptions, body: Body): Promise<void> {
  await using harness = await createHarness({
    ...options,
    project: 'deferred',
    server: existing(server.url),
    migrate: async ({ url }) => void (await ask({ ...server, url }, SCHEMA)),
    fingerprint: createHash('sha256').update(SCHEMA).digest('hex'),
  })
  await using first = await harness.lease()
  await using second = await harness.lease()
  await body(server, [first, second])
}

for (const { id, role, as, options = {} } of VARIANTS) {
  describeOn(id, (given) => {
    const onDatabases = (body: Body) => as(given).then((server) => withDatabases(server, options, body))

    it(`baseline rows of large tables come back from a pristine copy (${role})`, async () => {
      let left: string[] = []
      await onDatabases(async (server, [first, second]) => {
        await ask({ ...server, url: first.url }, `INSERT INTO small VALUES (7, 'new')`)
        await first.reset()
        const before = await databasesOf(server)
        const pick = randomFrom(1)
        for (let round = 0; round < 8; round++) {
          const database = round % 3 === 0 ? second : first
          const writes = Array.from({ length: 1 + pick(3) }, () => WRITES[pick(WRITES.length)]?.(pick) ?? '')
          for (const sql of writes) await ask({ ...server, url: database.url }, sql)
          await database.reset()
          expect([writes, await database.verify()]).toEqual([writes, []])
        }
        // One copy serves both databases.
        expect(await databasesOf(server)).toHaveLength(before.length + 1)
        left = before.filter((name) => name.includes('_t_'))
      })
      expect(await databasesOf(await as(given))).toEqual(left)
    })

    it(`a changed schema is planned again, with rows that were and were not read before (${role})`, () =>
      onDatabases(async (server, [database]) => {
        const run = (sql: string) => ask({ ...server, url: database.url }, sql)
        await run('DELETE FROM wide WHERE id = 5')
        await database.reset()
        await run('CREATE TABLE more (id int PRIMARY KEY); INSERT INTO more VALUES (1)')
        await run('DELETE FROM wide WHERE id IN (5, 6, 7000)')
        const { notes } = await database.reset()
        expect(notes.join()).toContain('more')
        await run(
          'DELETE FROM wide WHERE id IN (7, 5000); DELETE FROM child WHERE id < 100; INSERT INTO more VALUES (1)',
        )
        await database.reset()
        expect(await database.verify()).toEqual([])
      }))
  })
}

describeOn('postgres:18', (server) => {
  it('a copy that is gone is made again', () =>
    withDatabases(server, {}, async (_, [database]) => {
      const run = (sql: string) => ask({ ...server, url: database.url }, sql)
      // The first reset scans, and would read whole tables.
      await database.reset()
      await run('DELETE FROM wide WHERE id = 5')
      await database.reset()
      const copy = (await databasesOf(server)).find((name) => /_\d{5,}$/.test(name))
      await ask(server, `DROP DATABASE ${copy} WITH (FORCE)`)
      await run('DELETE FROM wide WHERE id = 7000')
      expect(await database.reset()).toMatchObject({ recreated: false, notes: [] })
      expect(await database.verify()).toEqual([])
    }))

  it('without a copy, the database is created again', () =>
    withDatabases(server, {}, async (_, [database]) => {
      const run = (sql: string) => ask({ ...server, url: database.url }, sql)
      await database.reset()
      // A client in the template is in the way of copying it.
      const template = (await databasesOf(server)).find((name) => name.includes('_t_')) ?? ''
      await ask(server, `ALTER DATABASE ${template} ALLOW_CONNECTIONS true`)
      const client = new pg.Client({ connectionString: server.url.replace(/\/\w+$/, `/${template}`) })
      await client.connect()
      await run('DELETE FROM wide WHERE id = 7000')
      await expect(database.reset()).rejects.toThrow()
      await client.end()
      await ask(server, `ALTER DATABASE ${template} ALLOW_CONNECTIONS false`)
      await database.reset()
      expect(await database.verify()).toEqual([])
    }))
})
