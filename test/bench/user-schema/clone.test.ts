import { expect, it } from 'vitest'
import { cloneOf, warningOf } from '../../../src/bench/user-schema/clone.ts'
import { open } from '../../../src/engine/registry.ts'
import { ask } from '../../support/ask.ts'
import { withDatabaseOn } from '../../support/database-on.ts'
import { describeOn } from '../../support/servers.ts'

it('warns about the size of a large database, but not of a small one', () => {
  const GIB = 2 ** 30
  expect(warningOf('shop', { bytes: GIB - 1, rows: 9e6, seconds: 10 })).toBeUndefined()
  expect(warningOf('shop', { bytes: 12.34 * GIB, rows: 45_000_000, seconds: 130.2 })).toBe(
    '"shop" has 12 GiB, about 45,000,000 rows. It is copied completely: it may take 3 min, which --budget does not count, and as much room again on the server',
  )
  expect(warningOf('shop', { bytes: GIB, rows: 1, seconds: 10.7 })).toMatch(/ 1 GiB, .* take 11 s,/)
})

const NAME = 'somebodys_large'

for (const id of ['embedded:18', 'mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    it('reads the size of the source from the catalog before it copies', () =>
      withDatabaseOn(server, NAME, async (source) => {
        const series = `WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT i, REPEAT('x', 900) FROM n`
        const create = 'CREATE TABLE wide (id int PRIMARY KEY, text varchar(900))'
        await ask(
          source,
          `${create}; INSERT INTO wide ${series}; ANALYZE ${server.engine === 'postgres' ? '' : 'TABLE'} wide`,
        )
        const { engine, connection } = await open(source.url)
        const extent = await engine.databases?.extent(connection)
        await connection.close()
        expect(extent?.rows).toBeGreaterThan(800)
        expect(extent?.rows).toBeLessThan(1000)
        expect(extent?.bytes).toBeGreaterThan(800_000)
        expect(extent?.seconds).toBeGreaterThan(0)

        const lines: string[] = []
        const onProgress = (line: string) => void lines.push(line)
        const clone = await cloneOf(source.url, { allow: [], tellFromBytes: 500_000, onProgress })
        await clone.close()
        expect(lines).toEqual([
          expect.stringMatching(
            /^"somebodys_large" has 0\.\d+ GiB, about [89]\d\d rows. It is copied completely/,
          ),
          'copies the database',
        ])
      }))
  })
}
