import { finished } from 'node:stream/promises'
import { setTimeout } from 'node:timers/promises'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { describe, expect, it } from 'vitest'
import type { TestDatabase } from '../../../src/index.ts'
import { ask } from '../../support/ask.ts'
import { hold } from '../../support/hold.ts'
import { describeOn, type ServerAtHand } from '../../support/servers.ts'
import { withDatabase as withDatabaseOf } from './with-database.ts'

const SERIALIZABLE = `DO $$ BEGIN
  EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = serializable', current_database()); END $$`

const SCHEMA = `
  CREATE TABLE countries (code text PRIMARY KEY, name text);
  INSERT INTO countries SELECT 'c' || i, 'country ' || i FROM generate_series(1, 200) AS i;
  CREATE TABLE orders (id serial PRIMARY KEY, note text);
  CREATE TABLE lines (order_id int REFERENCES orders, line int, PRIMARY KEY (order_id, line));
  CREATE UNLOGGED TABLE sessions (id serial, data text);
  CREATE UNLOGGED TABLE settings (name text, value text);
  INSERT INTO settings VALUES ('colour', 'blue');
  CREATE TABLE events (at date) PARTITION BY RANGE (at);
  CREATE TABLE events_old PARTITION OF events FOR VALUES FROM (MINVALUE) TO ('2025-01-01');
  CREATE TABLE events_new PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2100-01-01');
  CREATE TABLE roles (id serial PRIMARY KEY, name text);
  INSERT INTO roles (name) VALUES ('admin');
  CREATE SEQUENCE invoices CACHE 5;
  CREATE TABLE many (n int, twice int GENERATED ALWAYS AS (n * 2) STORED, id int GENERATED ALWAYS AS IDENTITY, code text);
  INSERT INTO many (n, code) SELECT i, 'code ' || i FROM generate_series(1, 20000) AS i;`

/** What a test does, and what becomes dirty. */
const CASES: readonly (readonly [what: string, sql: string, dirty: readonly string[]])[] = [
  ['an INSERT', `INSERT INTO orders (note) VALUES ('x')`, ['orders', 'orders_id_seq']],
  ['a rolled back INSERT', `BEGIN; INSERT INTO orders (note) VALUES ('x'); ROLLBACK`, ['orders_id_seq']],
  [
    'a rolled back savepoint',
    `BEGIN; SAVEPOINT a; INSERT INTO events VALUES ('2026-01-01'); ROLLBACK TO a; COMMIT`,
    [],
  ],
  [
    'a write within a savepoint',
    `BEGIN; SAVEPOINT a; INSERT INTO events VALUES ('2026-01-01'); RELEASE a; COMMIT`,
    ['events'],
  ],
  ['a bare nextval', `SELECT nextval('invoices')`, ['invoices']],
  [
    'a nextval within a savepoint',
    `BEGIN; SAVEPOINT a; SELECT nextval('orders_id_seq'); RELEASE a; COMMIT`,
    ['orders_id_seq'],
  ],
  [
    'a nextval within an exception block',
    `DO $$ BEGIN PERFORM nextval('roles_id_seq');EXCEPTION WHEN OTHERS THEN NULL;END $$`,
    ['roles_id_seq'],
  ],
  ['a setval', `SELECT setval('orders_id_seq', 99)`, ['orders_id_seq']],
  ['an UPDATE of a baseline row', `UPDATE countries SET name = 'x' WHERE code = 'c7'`, ['countries']],
  ['a DELETE of baseline rows', `DELETE FROM countries WHERE code < 'c3'`, ['countries']],
  ['a TRUNCATE of baseline rows', 'TRUNCATE countries', ['countries']],
  [
    'a TRUNCATE, and rows after it',
    `TRUNCATE orders RESTART IDENTITY CASCADE; INSERT INTO orders VALUES (1)`,
    ['orders', 'orders_id_seq'],
  ],
  ['a rewrite by VACUUM FULL', 'VACUUM FULL countries', ['countries']],
  ['a rewrite by CLUSTER', 'CLUSTER countries USING countries_pkey', ['countries']],
  ['a row of a partition', `INSERT INTO events_old VALUES ('2024-01-01')`, ['events']],
  ['an unlogged row', `INSERT INTO sessions (data) VALUES ('x')`, ['sessions', 'sessions_id_seq']],
  [
    'an unlogged baseline row beside one that the journal names',
    `UPDATE settings SET value = 'x'; UPDATE countries SET name = 'x' WHERE code = 'c7'`,
    ['countries', 'settings'],
  ],
  [
    'a commit that nobody has flushed',
    `SET synchronous_commit = off; INSERT INTO orders VALUES (1)`,
    ['orders'],
  ],
  [
    'reading, locking and vacuuming',
    'SELECT * FROM countries FOR UPDATE; SELECT count(*) FROM orders; VACUUM ANALYZE countries',
    [],
  ],
  ['work in a temporary table', 'CREATE TEMP TABLE scratch AS SELECT * FROM countries', []],
]

for (const id of ['embedded:18', 'postgres:17'] as const) {
  describeOn(id, (server) => {
    describe('the wal detector finds', () => {
      it.each(CASES)('%s', (_, sql, dirty) =>
        withDatabase(server, async (database, client) => {
          await client.query('SET client_min_messages = error')
          for (const statement of sql.split('; ')) await client.query(statement)
          const report = await database.reset()
          expect(report.detector).toBe('wal')
          expect([...report.dirty].sort()).toEqual([...dirty].sort())
          expect(await database.verify()).toEqual([])
          expect((await database.reset()).dirty).toEqual([])
        }),
      )

      it('a draw from a sequence that was at its baseline with values logged ahead', () =>
        withDatabase(server, async (database, client) => {
          await client.query(
            `TRUNCATE roles RESTART IDENTITY; INSERT INTO roles (name) VALUES ('first again')`,
          )
          await database.reset()
          await client.query(`SELECT nextval('roles_id_seq')`)
          expect(await database.reset()).toMatchObject({ detector: 'wal', dirty: ['roles_id_seq'] })
          expect(await database.verify()).toEqual([])
        }))

      it('rows of a partition that a test created', () =>
        withDatabase(server, async (database, client) => {
          await client.query(
            `CREATE TABLE more (at date); CREATE TABLE parted (at date) PARTITION BY RANGE (at)`,
          )
          await client.query(
            `CREATE TABLE events_newer PARTITION OF events FOR VALUES FROM ('2100-01-01') TO (MAXVALUE)`,
          )
          await database.reset()
          await client.query(`INSERT INTO events VALUES ('2200-01-01')`)
          expect(await database.reset()).toMatchObject({ detector: 'wal', dirty: ['events'] })
          expect((await client.query('SELECT FROM events')).rowCount).toBe(0)
        }))

      it('nothing in recycled WAL: a scan replaces it', () =>
        withDatabase(server, async (database, client) => {
          await client.query(`INSERT INTO orders VALUES (1)`)
          for (let i = 0; i < 3; i++) await client.query('SELECT pg_switch_wal(), txid_current()')
          await client.query('CHECKPOINT')
          for (let i = 0; i < 12; i++) await client.query('SELECT pg_switch_wal(), txid_current()')
          await client.query('CHECKPOINT')
          expect(await database.reset()).toMatchObject({
            detector: 'scan',
            why: expect.stringMatching(/recycled/),
            dirty: ['orders'],
          })
          expect(await database.verify()).toEqual([])
        }))

      it('rows that COPY wrote', () =>
        withDatabase(server, async (database, client) => {
          const copied = client.query(copyFrom(`COPY orders (note) FROM STDIN`))
          copied.end('one\ntwo\n')
          await finished(copied)
          const report = await database.reset()
          expect(report).toMatchObject({ detector: 'wal', dirty: ['orders_id_seq', 'orders'] })
          expect(report.steps[0]).toMatchObject({ rows: 2 })
        }))

      it('the number of deleted rows, also when resets follow each other closely', () =>
        withDatabase(server, async (database, client) => {
          for (const rows of [3, 1, 2]) {
            await client.query(`INSERT INTO orders (note) SELECT 'x' FROM generate_series(1, ${rows})`)
            const { steps } = await database.reset()
            expect(steps[0]).toMatchObject({ kind: 'delete', rows })
          }
          await client.query('BEGIN')
          await client.query(`INSERT INTO orders (note) VALUES ('rolled back')`)
          await client.query('ROLLBACK')
          expect((await database.reset()).dirty).toEqual(['orders_id_seq'])
        }))

      it('writes of several connections, and none of other databases', () =>
        withDatabase(server, async (database, client) => {
          await withDatabase(server, async (_, other) => {
            await other.query(`UPDATE countries SET name = 'elsewhere'`)
            await client.query(`INSERT INTO orders VALUES (1)`)
            await ask({ ...server, url: database.url }, `INSERT INTO events VALUES ('2026-01-01')`)
            expect([...(await database.reset()).dirty].sort()).toEqual(['events', 'orders'])
          })
          expect(await database.verify()).toEqual([])
        }))

      it('writes of a transaction that was open across a reset, once it has committed', () =>
        withDatabase(server, async (database) => {
          const straggler = await hold({ ...server, url: database.url }, `INSERT INTO orders VALUES (1)`)
          await expect(database.reset()).rejects.toMatchObject({ code: 'blocked' })
          await straggler.commit()
          expect((await database.reset()).dirty).toEqual(['orders'])
          expect(await database.verify()).toEqual([])
        }))

      it('a transaction that stays open and blocks nothing, which the report mentions', () =>
        withDatabase(server, async (database) => {
          const straggler = await hold({ ...server, url: database.url }, `SELECT nextval('orders_id_seq')`)
          expect(await database.reset()).toMatchObject({
            dirty: ['orders_id_seq'],
            notes: [expect.stringMatching(/has not ended its transaction/)],
          })
          await straggler.commit()
          await database.reset()
          expect((await database.reset()).notes).toEqual([])
          expect(await database.verify()).toEqual([])
        }))

      it('writes of a transaction that commits during the wait for it, whatever the default isolation level', () =>
        withDatabaseOf(
          server,
          { schema: `${SCHEMA}; ${SERIALIZABLE}`, detector: 'wal' },
          async (database) => {
            const straggler = await hold({ ...server, url: database.url }, `INSERT INTO orders VALUES (1)`)
            const reset = database.reset()
            await setTimeout(150)
            await straggler.commit()
            expect((await reset).dirty).toEqual(['orders'])
            expect(await database.verify()).toEqual([])
          },
        ))

      it('nothing after many writes, when a scan is cheaper', () =>
        withDatabase(
          server,
          async (database, client) => {
            // About 26 MB of WAL, 25 times the break-even size here: the load of the machine cannot reverse
            // the choice.
            await client.query(`INSERT INTO orders SELECT i, 'many' FROM generate_series(1, 200000) AS i`)
            expect(await database.reset()).toMatchObject({
              detector: 'scan',
              why: expect.stringMatching(/too long/),
              dirty: ['orders'],
            })
            // The WAL of the reset itself is skipped.
            expect(await database.reset()).toMatchObject({ detector: 'wal', dirty: [] })
            await client.query(`INSERT INTO orders VALUES (1)`)
            expect(await database.reset()).toMatchObject({ detector: 'wal', dirty: ['orders'] })
            expect(await database.verify()).toEqual([])
          },
          'auto',
        ))

      it('the changed rows of a large table, and leaves the others in place', () =>
        withDatabase(server, async (database, client) => {
          const places = async () =>
            (await client.query('SELECT ctid::text AS place, code FROM many ORDER BY code')).rows
          const before = await places()
          await client.query(`UPDATE many SET code = code || 'x' WHERE n % 5000 = 7`)
          await client.query(`DELETE FROM many WHERE n % 5000 = 8`)
          await client.query(`INSERT INTO many (n, code) VALUES (-1, 'new')`)
          const report = await database.reset()
          expect(report).toMatchObject({ detector: 'wal', dirty: ['many_id_seq', 'many'] })
          expect(report.steps.map(({ kind, rows }) => [kind, rows])).toEqual([
            ['delete-differing', 5],
            ['insert-missing', 8],
            ['restart', undefined],
          ])
          expect(await database.verify()).toEqual([])
          const after = new Map((await places()).map(({ code, place }) => [code, place]))
          expect(before.filter(({ code, place }) => after.get(code) !== place)).toHaveLength(8)
          expect((await database.reset()).dirty).toEqual([])
        }))
    })
  })
}

function withDatabase(
  server: ServerAtHand,
  body: (database: TestDatabase, client: pg.Client) => Promise<void>,
  detector: 'auto' | 'wal' = 'wal',
): Promise<void> {
  return withDatabaseOf(server, { schema: SCHEMA, detector }, body)
}
