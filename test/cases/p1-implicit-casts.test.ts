import { describe, expect, it } from 'vitest'
import { createHarness, existing } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { hold } from '../support/hold.ts'
import { describeOn } from '../support/servers.ts'
import { inWay, POSTGRES_WAYS } from './support.ts'

/** The casts that PostgreSQL 8.3 removed, and that many schemas have brought back since. */
const CASTS = ['smallint', 'integer', 'bigint', 'numeric', 'oid', 'date', 'timestamptz', 'real']
  .map((type) => `CREATE CAST (${type} AS text) WITH INOUT AS IMPLICIT`)
  .join(';\n')

const SCHEMA = `
  CREATE TABLE a (id serial PRIMARY KEY, t text, big bigint, made date, deleted_at timestamptz);
  CREATE TABLE b (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE);
  CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM a;
  INSERT INTO a (t, big) VALUES ('one', 1), ('two', 2);
  INSERT INTO b (a) VALUES (1);
  REFRESH MATERIALIZED VIEW m;`

describeOn('postgres:18', (bare) => {
  describe.each(POSTGRES_WAYS)('as a %s', (way) => {
    it.each(['auto', 'delete', 'truncate'] as const)(
      'implicit casts to text disturb nothing (%s)',
      async (strategy) => {
        const { server, options } = await inWay(bare, way)
        await using harness = await createHarness({
          ...options,
          strategy,
          server: existing(server.url),
          migrate: async ({ url }) => {
            // Only the owner of a type may create casts from it.
            const asSuperuser = new URL(bare.url)
            asSuperuser.pathname = new URL(url).pathname
            await ask({ ...server, url: asSuperuser.toString() }, CASTS)
            await ask({ ...server, url }, SCHEMA)
          },
        })
        await using database = await harness.lease()
        const run = (sql: string) => ask({ ...server, url: database.url }, sql)
        await run(`INSERT INTO a (t) VALUES ('three'); UPDATE a SET t = 'x' WHERE id = 1; DELETE FROM b`)
        expect((await database.reset()).dirty).toEqual(expect.arrayContaining(['a', 'b']))
        expect(await database.verify()).toEqual([])
        expect(await run(`SELECT nextval(pg_get_serial_sequence('a', 'id'))`)).toEqual([{ nextval: '3' }])
        await database.reset()
        await run(`SELECT lo_from_bytea(0, 'x')`)
        await database.reset()
        const { tables } = await database.erase('a', [1], { cascade: 'follow' })
        expect(tables.map(({ deleted }) => deleted)).toEqual([1, 1])
        await database.reset()
        expect(await database.verify()).toEqual([])
        const held = await hold({ ...server, url: database.url }, 'LOCK TABLE a')
        expect(await database.openResources()).not.toEqual([])
        await held.close()
      },
    )
  })
})
