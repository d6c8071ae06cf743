import { describe, expect, it } from 'vitest'
import { describeOn } from '../support/servers.ts'
import { inWay, POSTGRES_WAYS, withLease } from './support.ts'

const SCHEMA = `CREATE TABLE a (v int); INSERT INTO a VALUES (100);
  CREATE MATERIALIZED VIEW unfilled AS SELECT sum(v) AS s FROM a WITH NO DATA;
  CREATE MATERIALIZED VIEW filled AS SELECT sum(v) AS s FROM a;
  CREATE MATERIALIZED VIEW stale AS SELECT count(*) AS n FROM a;
  INSERT INTO a VALUES (200);
  REFRESH MATERIALIZED VIEW filled;`

for (const id of ['postgres:18', 'postgres:15'] as const) {
  describeOn(id, (bare) => {
    describe.each(POSTGRES_WAYS)('as a %s', (way) => {
      it('has no data again after a test refreshed it', async () => {
        const { server, options } = await inWay(bare, way)
        await withLease(server, SCHEMA, options, async (database, run) => {
          expect(await database.verify()).toEqual([])
          for (let round = 0; round < 2; round++) {
            await run('INSERT INTO a VALUES (200); REFRESH MATERIALIZED VIEW unfilled')
            expect(await run('SELECT s FROM unfilled')).toEqual([{ s: '500' }])
            expect((await database.verify()).map(({ subject }) => subject).sort()).toEqual(['a', 'unfilled'])
            expect((await database.reset()).notes).toEqual([])
            await expect(run('SELECT s FROM unfilled')).rejects.toThrow(/has not been populated/)
            expect(await database.verify()).toEqual([])
          }
        })
      })

      it('has its data again after a test removed or changed it', async () => {
        const { server, options } = await inWay(bare, way)
        await withLease(server, SCHEMA, options, async (database, run) => {
          for (const sql of [
            'REFRESH MATERIALIZED VIEW filled WITH NO DATA',
            'INSERT INTO a VALUES (1); REFRESH MATERIALIZED VIEW filled',
          ]) {
            await run(sql)
            await database.reset()
            expect(await run('SELECT s FROM filled')).toEqual([{ s: '300' }])
            expect(await database.verify()).toEqual([])
          }
        })
      })

      it('is stale again if it was stale in the baseline (P17)', async () => {
        const { server, options } = await inWay(bare, way)
        await withLease(server, SCHEMA, options, async (database, run) => {
          await run('REFRESH MATERIALIZED VIEW stale')
          expect(await run('SELECT n FROM stale')).toEqual([{ n: '2' }])
          const { notes } = await database.reset()
          expect(notes).toEqual([expect.stringMatching(/stale.*recreated from its template/)])
          expect(await run('SELECT n FROM stale')).toEqual([{ n: '1' }])
          expect(await database.verify()).toEqual([])
        })
      })
    })
  })
}
