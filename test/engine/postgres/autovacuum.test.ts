import pg from 'pg'
import { expect, it } from 'vitest'
import { createHarness, embedded, existing } from '../../../src/index.ts'
import { startServer } from '../../../src/server/server.ts'
import { ask } from '../../support/ask.ts'
import { describeOn } from '../../support/servers.ts'

/**
 * Autovacuum evaluates these statistics last, in a transaction that has already written, at 0.1 s per row.
 */
const SCHEMA = `
  CREATE TABLE orders (id serial PRIMARY KEY, note text);
  CREATE TABLE looked_at (id int, note text);
  INSERT INTO looked_at SELECT n FROM generate_series(1, 600) AS n;
  CREATE FUNCTION slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_catalog.pg_sleep(0.1); RETURN $1; END';
  CREATE STATISTICS about_it ON slow(id), note FROM looked_at;`

const EAGER = {
  autovacuum_naptime: '1s',
  autovacuum_analyze_threshold: '0',
  autovacuum_analyze_scale_factor: '0',
}

/** Whether autovacuum has an open transaction that has written, for the slow statistics. */
async function autovacuumIsIn(url: string): Promise<boolean> {
  const rows = await ask(
    { engine: 'postgres', url },
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'autovacuum worker'
       AND backend_xid IS NOT NULL AND query LIKE '%looked_at%'`,
  )
  return rows.length > 0
}

describeOn('embedded:18', () => {
  it('a reset does not treat autovacuum as a session that writes', async () => {
    await using harness = await createHarness({
      server: embedded({ settings: EAGER }),
      detector: 'wal',
      migrate: async ({ url }) => void (await ask({ engine: 'postgres', url }, SCHEMA)),
    })
    await using database = await harness.lease()
    await database.reset()
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    try {
      await client.query(`UPDATE looked_at SET note = 'x'`)
      const isAtIt = () => autovacuumIsIn(database.url)
      await expect.poll(isAtIt, { timeout: 30_000, interval: 20 }).toBe(true)
      // In a savepoint, so that the WAL does not show which transaction moved the sequence.
      await client.query(`BEGIN; SAVEPOINT a; INSERT INTO orders (note) VALUES ('x'); COMMIT`)
      const first = await database.reset()
      const second = await database.reset()
      expect(await isAtIt()).toBe(true)
      expect(first.notes).toEqual([])
      expect([...first.dirty].sort()).toEqual(['looked_at', 'orders', 'orders_id_seq'])
      expect(second.dirty).toEqual([])
    } finally {
      await client.end()
    }
  })

  it('autovacuum does not prevent dropping a database, superuser or not', async () => {
    await using server = await startServer(embedded({ settings: EAGER }))
    await ask(server, `CREATE ROLE plain LOGIN CREATEDB PASSWORD 'plain'`)
    const url = new URL(server.url)
    url.username = url.password = 'plain'
    const harness = await createHarness({
      server: existing(url.href),
      migrate: async ({ url }) => void (await ask({ engine: 'postgres', url }, SCHEMA)),
    })
    const database = await harness.lease()
    const inside = new URL(server.url)
    inside.pathname = `/${database.name}`
    await ask({ engine: 'postgres', url: database.url }, `UPDATE looked_at SET note = 'x'`)
    await database.release()
    await expect.poll(() => autovacuumIsIn(inside.href), { timeout: 30_000, interval: 20 }).toBe(true)
    await harness.close()
    const left = await ask(server, `SELECT datname FROM pg_database WHERE datname = '${database.name}'`)
    expect(left).toEqual([])
  })
})
