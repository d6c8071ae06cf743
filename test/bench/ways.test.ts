import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CASES } from '../../src/bench/cases.ts'
import { emptyingBy } from '../../src/bench/emptying.ts'
import { gaugeOf } from '../../src/bench/gauge.ts'
import { type Ground, serverGround, sqliteGround } from '../../src/bench/ground.ts'
import { locksOn } from '../../src/bench/locks.ts'
import { emptyOnce, GaveUp } from '../../src/bench/round.ts'
import { WAYS } from '../../src/bench/ways.ts'
import { benchTables } from '../../src/engine/bench.ts'
import { ask } from '../support/ask.ts'
import { describeOn, engines } from '../support/at-hand.ts'

const ROWS_PER_TABLE = 120
const SHAPES = CASES.filter(
  ({ storage, readers, shape }) => storage === 'memory' && readers === 0 && shape.tables < 100,
)

/** Elsewhere the base case must do: it is the same SQL. */
const EVERY_SHAPE = new Set(['embedded:18', 'mysql:9.7', 'mariadb:11.8'])

/** What engines of this kind have. */
const POSSIBLE = {
  postgres: WAYS.map(({ id }) => id).filter((id) => id !== 'delete-rows'),
  mysql: WAYS.map(({ id }) => id).filter(
    (id) => !['truncate-restart', 'truncate-cascade', 'delete-rows'].includes(id),
  ),
  sqlite: WAYS.map(({ id }) => id).filter((id) => !id.startsWith('truncate') && id !== 'clone'),
} as const

for (const { id } of engines) {
  describeOn(id, (server) => {
    ways(
      server.engine === 'postgres' ? 'postgres' : 'mysql',
      () => serverGround(server.url, { ours: true, allow: [] }),
      EVERY_SHAPE.has(id) ? SHAPES : SHAPES.slice(0, 1),
    )

    it('says which locks a way takes, where the server tells', async () => {
      const ground = await serverGround(server.url, { ours: true, allow: [] })
      const locks = await locksOn(ground, ['delete', 'truncate', 'swap'])
      await ground.close()
      const expected = {
        postgres: [['RowExclusiveLock'], expect.arrayContaining(['AccessExclusiveLock'])],
        mysql: [['SHARED_WRITE'], ['EXCLUSIVE']],
        // Only where it was told to at its start.
        mariadb: [undefined, undefined],
      }[server.engine]
      expect([locks.delete, locks.truncate]).toEqual(expected)
    })

    it('leaves no database behind', async () => {
      const databases = await ask(
        server,
        server.engine === 'postgres' ? 'SELECT datname AS name FROM pg_database' : 'SHOW DATABASES',
      )
      expect(
        databases.flatMap((row) => Object.values(row)).filter((name) => /afresh_bench/.test(`${name}`)),
      ).toEqual([])
    })
  })
}

describe('sqlite', () => {
  ways('sqlite', () => sqliteGround('memory'), SHAPES)
})

function ways(kind: keyof typeof POSSIBLE, makeGround: () => Promise<Ground>, shapes: typeof SHAPES): void {
  describe('every way', () => {
    let ground: Ground
    beforeAll(async () => {
      ground = await makeGround()
    })
    afterAll(() => ground.close())

    it.each(shapes)('leaves no row and can be done again: $id', async ({ id, shape }) => {
      const reason = ground.engine.bench.lacks(shape)
      if (reason !== undefined) {
        expect(kind).not.toBe('postgres')
        return
      }
      const site = await ground.build(shape)
      const gauge = await gaugeOf(ground.engine, site.connection)
      const asked = { engine: ground.engine, site, shape, rowsPerTable: ROWS_PER_TABLE, gauge }
      const done: string[] = []
      try {
        for (const way of WAYS) {
          const emptying = emptyingBy(way.id, asked)
          // Each clone is a database; it is the same whatever is in it.
          if (typeof emptying === 'string' || (way.id === 'clone' && id !== 'base')) continue
          done.push(way.id)
          for (let time = id === 'base' ? 1 : 2; time <= 2; time++) {
            const sample = await emptyOnce(asked, emptying, { readers: [], limitMs: 60_000 })
            expect(sample.ms).toBeGreaterThan(0)
            const counts = await Promise.all(
              [...benchTables(shape), ...(shape.children ? ['children'] : [])].map(async (table) => {
                const [row] = await emptying.connection().query(`SELECT COUNT(*) AS n FROM ${table}`)
                return Number(row?.n)
              }),
            )
            // The next INSERT stands in the first.
            expect(counts, way.id).toEqual(counts.map((_, place) => (place === 0 ? 1 : 0)))
            // SQLite keeps pages that nobody needs in the file.
            if (kind !== 'sqlite' && id === 'base' && /truncate|drop|swap|clone/.test(way.id))
              expect(sample.leftBytes).toBe(0)
          }
        }
      } finally {
        await site.close()
      }
      if (id === 'base') expect(done).toEqual(POSSIBLE[kind])
      expect(done).toContain('delete')
    })

    it('writes rows before it takes them away', async () => {
      const { shape } = CASES[0] ?? {}
      if (shape === undefined) throw new Error('there is a base case')
      const site = await ground.build(shape)
      await site.connection.query(ground.engine.bench.fill(shape, 1, ROWS_PER_TABLE).join(';\n'))
      expect(
        await site.connection.query('SELECT MIN(id) AS least, MAX(id) AS most, COUNT(*) AS n FROM t1'),
      ).toEqual([{ least: 1, most: ROWS_PER_TABLE, n: expect.anything() }])
      // A loop that is out of time tells how far it came.
      const gauge = await gaugeOf(ground.engine, site.connection)
      const asked = { engine: ground.engine, site, shape, rowsPerTable: ROWS_PER_TABLE, gauge }
      for (const way of ['batch-100', 'orm-100'] as const) {
        const loop = emptyingBy(way, asked)
        if (typeof loop === 'string') throw new Error(loop)
        await expect(emptyOnce(asked, loop, { readers: [], limitMs: -1 })).rejects.toThrow(GaveUp)
      }
      await site.close()
    })
  })
}
