import { describe, expect, it } from 'vitest'
import { describeOn } from '../support/servers.ts'
import { inWay, POSTGRES_WAYS, withLease } from './support.ts'

/** `orphans` has a baseline row that its foreign key would refuse. */
const SCHEMA = `
  CREATE TABLE owners (id int PRIMARY KEY); INSERT INTO owners VALUES (1);
  CREATE TABLE orphans (id int PRIMARY KEY, owner int); INSERT INTO orphans VALUES (1, 1), (2, 99);
  ALTER TABLE orphans ADD CONSTRAINT owned FOREIGN KEY (owner) REFERENCES owners ON DELETE CASCADE DEFERRABLE NOT VALID;
  CREATE TABLE others (id int PRIMARY KEY REFERENCES owners);`

for (const id of ['postgres:18', 'postgres:15'] as const) {
  describeOn(id, (bare) => {
    describe.each(POSTGRES_WAYS)('as a %s', (way) => {
      it.each(['auto', 'delete', 'truncate'] as const)(
        'puts back rows that a foreign key which is NOT VALID refuses (%s)',
        async (strategy) => {
          const { server, options } = await inWay(bare, way)
          await withLease(server, SCHEMA, { ...options, strategy }, async (database, run) => {
            const key = () =>
              run(`SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint WHERE conname = 'owned'`)
            const before = await key()
            for (const sql of ['DELETE FROM orphans', 'DELETE FROM owners', 'UPDATE orphans SET owner = 1']) {
              await run(sql)
              const report = await database.reset()
              expect([report.notes, report.recreated ?? false]).toEqual([[], false])
              expect(await run('SELECT * FROM orphans ORDER BY id')).toEqual([
                { id: 1, owner: 1 },
                { id: 2, owner: 99 },
              ])
              expect(await database.verify()).toEqual([])
              expect(await key()).toEqual(before)
            }
            await expect(run('INSERT INTO orphans VALUES (3, 98)')).rejects.toThrow('owned')
          })
        },
      )
    })
  })
}
