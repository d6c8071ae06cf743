import type pg from 'pg'
import { describe, expect, it } from 'vitest'
import type { TestDatabase } from '../../../src/index.ts'
import { describeOn, type ServerAtHand } from '../../support/servers.ts'
import { withDatabase as withDatabaseOf } from './with-database.ts'

const SCHEMA = `
  CREATE TABLE orders (id int);
  CREATE TABLE codes (id int, code text);
  INSERT INTO codes SELECT i, 'code ' || lpad(i::text, 5, '0') FROM generate_series(1, 2000) AS i;
  CREATE INDEX backwards ON codes (code DESC);
  CREATE TABLE kinds (kind text) PARTITION BY LIST (kind);
  CREATE TABLE kinds_a PARTITION OF kinds FOR VALUES IN ('a');
  CREATE TABLE kinds_b PARTITION OF kinds FOR VALUES IN ('b');
  INSERT INTO kinds VALUES ('a'), ('b');`

for (const id of ['embedded:18', 'postgres:18', 'postgres:17'] as const) {
  describeOn(id, (server) => {
    describe('changes that row records do not show', () => {
      it.each([
        ['made', `CREATE TABLE new PARTITION OF kinds FOR VALUES IN ('z')`],
        [
          'attached',
          `CREATE TABLE new (kind text); ALTER TABLE kinds ATTACH PARTITION new FOR VALUES IN ('z')`,
        ],
      ])('rows of a partition that the test has %s', (_, sql) =>
        withDatabase(server, { detector: 'wal' }, async (database, client) => {
          await client.query(sql)
          await client.query(`INSERT INTO kinds VALUES ('z')`)
          expect(await database.reset()).toMatchObject({ why: 'a test changed the schema', dirty: ['kinds'] })
          expect(await database.verify()).toEqual([])
          expect((await database.reset()).dirty).toEqual([])
        }),
      )

      it.each(['DETACH PARTITION kinds_b', 'ADD CHECK (kind IS NULL)', 'ADD n int NOT NULL'])(
        'a table that its baseline rows no longer fit: the database is recreated after %s',
        (change) =>
          withDatabase(server, { detector: 'wal' }, async (database, client) => {
            await client.query('DELETE FROM kinds')
            await client.query(`ALTER TABLE kinds ${change}`)
            expect((await database.reset()).notes).toEqual([expect.stringMatching(/recreated from/)])
            expect(await database.verify()).toEqual([])
          }),
      )

      it('rows that were reordered before a scan', () =>
        withDatabase(server, { detector: 'wal' }, async (database, client) => {
          await client.query(`CLUSTER codes USING backwards`)
          await recycle(client)
          expect((await database.reset()).detector).toBe('scan')
          await client.query(`UPDATE codes SET code = 'x' WHERE id = 3`)
          expect(await database.reset()).toMatchObject({ detector: 'wal', dirty: ['codes'] })
          expect(await database.verify()).toEqual([])
        }))

      it('any change in recycled WAL: the cross-check compares all tables too', () =>
        withDatabase(server, { detector: 'wal', crossCheck: true }, async (database, client) => {
          await client.query('INSERT INTO orders VALUES (1)')
          await recycle(client)
          expect(await database.reset()).toMatchObject({ detector: 'scan', dirty: ['orders'] })
          expect(await database.verify()).toEqual([])
        }))
    })
  })
}

/** Writes until the WAL since the last reset is recycled. */
async function recycle(client: pg.Client): Promise<void> {
  for (const switches of [3, 12]) {
    for (let i = 0; i < switches; i++) await client.query('SELECT pg_switch_wal(), txid_current()')
    await client.query('CHECKPOINT')
  }
}

function withDatabase(
  server: ServerAtHand,
  options: { readonly detector: 'wal'; readonly crossCheck?: boolean },
  body: (database: TestDatabase, client: pg.Client) => Promise<void>,
): Promise<void> {
  return withDatabaseOf(server, { schema: SCHEMA, ...options }, body)
}
