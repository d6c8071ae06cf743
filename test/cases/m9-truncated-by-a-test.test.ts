import { describe, expect, it } from 'vitest'
import { createHarness, existing } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { describeOn } from '../support/servers.ts'

const SCHEMA = `CREATE TABLE filled (id int AUTO_INCREMENT PRIMARY KEY, v int); INSERT INTO filled (v) VALUES (1), (2);
  CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (1);
  CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION low VALUES LESS THAN (10), PARTITION high VALUES LESS THAN MAXVALUE);
  INSERT INTO parted VALUES (1), (20);
  CREATE TABLE blank (id int AUTO_INCREMENT PRIMARY KEY)`

const WRITES: readonly (readonly [sql: string, dirty: readonly string[]])[] = [
  ['TRUNCATE filled', ['filled']],
  ['TRUNCATE filled; TRUNCATE other', ['filled', 'other']],
  ['INSERT INTO filled (v) VALUES (3)', ['filled']],
  ['TRUNCATE other', ['other']],
  ['INSERT INTO other VALUES (2); TRUNCATE filled', ['filled', 'other']],
  ['TRUNCATE filled; INSERT INTO filled (v) VALUES (1)', ['filled']],
  ['ALTER TABLE parted TRUNCATE PARTITION low', ['parted']],
  ['TRUNCATE parted', ['parted']],
]

for (const id of ['mysql:9.7', 'mysql:9.7-stock', 'mariadb:11.8', 'mariadb:11.8-stock'] as const) {
  describeOn(id, (server) => {
    describe.each(['truncate', 'delete', 'auto'] as const)('with strategy %s', (strategy) => {
      it('restores the baseline rows of a truncated table every time', async () => {
        await using harness = await createHarness({
          server: existing(server.url),
          migrate: async ({ url }) => void (await ask({ ...server, url }, SCHEMA)),
          strategy,
        })
        await using database = await harness.lease()
        const inside = { ...server, url: database.url }
        for (const round of strategy === 'auto' ? [1, 2] : [1]) {
          for (const [sql, dirty] of WRITES) {
            await ask(inside, sql)
            const report = await database.reset()
            expect(report.dirty, `${sql}, round ${round}`).toEqual(expect.arrayContaining([...dirty]))
            expect(report.notes, sql).toEqual([])
            expect(await database.verify(), sql).toEqual([])
            expect((await database.reset()).dirty, sql).toEqual([])
          }
        }
      })
    })
  })
}
