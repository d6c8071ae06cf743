import { describe, expect, it } from 'vitest'
import { createHarness, existing, ResetError } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { describeOn, oneOfEach, type ServerAtHand } from '../support/servers.ts'
import { tapWire } from '../support/wire.ts'

const TABLES = 100
const ID = { postgres: 'serial', mysql: 'integer AUTO_INCREMENT', mariadb: 'integer AUTO_INCREMENT' }

/** 100 tables in a chain of foreign keys, every fourth with baseline rows. */
function manyTables(engine: keyof typeof ID): (context: { url: string }) => Promise<void> {
  const tables = Array.from({ length: TABLES }, (_, i) => {
    const parent = i === 0 ? '' : `, parent integer, FOREIGN KEY (parent) REFERENCES t${i - 1} (id)`
    const rows = i % 4 === 0 ? `INSERT INTO t${i} (name) VALUES ('a'), ('b');` : ''
    return `CREATE TABLE t${i} (id ${ID[engine]} PRIMARY KEY, name varchar(20)${parent}); ${rows}`
  })
  return async ({ url }) => {
    await ask({ engine, url }, tables.join('\n'))
  }
}

for (const { id } of oneOfEach) {
  describeOn(id, (server) => {
    describe(`a schema of ${TABLES} tables`, () => {
      // MariaDB's userstat is read first; the positions of counters and the steps follow.
      const dirtyRoundTrips = server.engine === 'mariadb' ? 3 : 1

      it(`is reset in ${dirtyRoundTrips} round trips, in one if clean, and contains no object of afresh`, async () => {
        await using wire = await tapWire(server.url)
        await using harness = await createHarness({
          server: existing(wire.url),
          migrate: manyTables(server.engine),
          crossCheck: false,
        })
        await using database = await harness.lease()
        await database.reset()
        wire.count()
        await database.reset()
        expect(wire.count()).toBe(1)

        await ask(
          direct(server, database),
          `INSERT INTO t1 (name) VALUES ('x'); UPDATE t4 SET name = 'y'; INSERT INTO t99 (name) VALUES ('z');`,
        )
        wire.count()
        const report = await database.reset()
        expect(wire.count()).toBeLessThanOrEqual(dirtyRoundTrips)
        expect(report.dirty).toEqual(expect.arrayContaining(['t1', 't4', 't99']))
        expect(await database.verify()).toEqual([])
        expect(await objectsBesides(direct(server, database))).toEqual([])
      })

      it('recovers from a lost connection', async () => {
        await using wire = await tapWire(server.url)
        await using harness = await createHarness({
          server: existing(wire.url),
          migrate: manyTables(server.engine),
        })
        await using database = await harness.lease()
        await ask(direct(server, database), `INSERT INTO t1 (name) VALUES ('x')`)
        wire.cut()
        await expect(database.reset()).rejects.toThrow(ResetError)
        await database.reset()
        expect(await database.verify()).toEqual([])
        expect(await ask(direct(server, database), 'SELECT * FROM t1')).toEqual([])
      })
    })
  })
}

/** The same database without the proxy, which therefore does not count the test's own queries. */
function direct(server: ServerAtHand, { url }: { readonly url: string }): ServerAtHand {
  const past = new URL(server.url)
  past.pathname = new URL(url).pathname
  return { engine: server.engine, url: past.toString() }
}

/** All objects in the user's schemas that the migration did not create. */
async function objectsBesides({ engine, url }: ServerAtHand): Promise<unknown[]> {
  const sql =
    engine === 'postgres'
      ? `SELECT relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
         WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
         UNION ALL SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
         WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
         UNION ALL SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('information_schema', 'public')`
      : `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()
         UNION ALL SELECT routine_name FROM information_schema.routines WHERE routine_schema = DATABASE()
         UNION ALL SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()`
  const names = (await ask({ engine, url }, sql)).map(({ name }) => String(name))
  return names.filter((name) => !/^t\d+(_id_seq|_pkey|_parent_idx)?$/.test(name))
}
