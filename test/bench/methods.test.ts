import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBenchFiles } from '../../src/bench/bench-files.ts'
import { type BenchServer, openBenchServer } from '../../src/bench/bench-server.ts'
import { CASES } from '../../src/bench/cases.ts'
import { locksOn } from '../../src/bench/locks.ts'
import { methodRunnerFor } from '../../src/bench/method-runner.ts'
import { METHODS } from '../../src/bench/methods.ts'
import { emptyOnce, TimeLimitExceeded } from '../../src/bench/round.ts'
import { storageMetricsOf } from '../../src/bench/storage-metrics.ts'
import { benchTables } from '../../src/engine/bench-dialect.ts'
import { fileEngineNamed } from '../../src/engine/registry.ts'
import { ask } from '../support/ask.ts'
import { describeOn, engines } from '../support/servers.ts'

const ROWS_PER_TABLE = 120
const SHAPES = CASES.filter(
  ({ storage, readers, shape }) => storage === 'memory' && readers === 0 && shape.tables < 100,
)

/** Servers that run every shape. The others run only the base case: the SQL is the same. */
const EVERY_SHAPE = new Set(['embedded:18', 'mysql:9.7', 'mariadb:11.8'])

/** The methods that each engine has. */
const POSSIBLE = {
  postgres: METHODS.map(({ id }) => id).filter((id) => id !== 'delete-rows'),
  mysql: METHODS.map(({ id }) => id).filter(
    (id) => !['truncate-restart', 'truncate-cascade', 'delete-rows'].includes(id),
  ),
  sqlite: METHODS.map(({ id }) => id).filter((id) => !id.startsWith('truncate') && id !== 'clone'),
} as const

for (const { id } of engines) {
  describeOn(id, (server) => {
    methods(
      server.engine === 'postgres' ? 'postgres' : 'mysql',
      () => openBenchServer(server.url, { startedByAfresh: true, allow: [] }),
      EVERY_SHAPE.has(id) ? SHAPES : SHAPES.slice(0, 1),
    )

    it('reports the locks of each method, where the server exposes them', async () => {
      const benchServer = await openBenchServer(server.url, { startedByAfresh: true, allow: [] })
      const locks = await locksOn(benchServer, ['delete', 'truncate', 'swap'])
      await benchServer.close()
      const expected = {
        postgres: [['RowExclusiveLock'], expect.arrayContaining(['AccessExclusiveLock'])],
        mysql: [['SHARED_WRITE'], ['EXCLUSIVE']],
        // Needs performance_schema enabled at server start.
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
  const files = fileEngineNamed('sqlite')
  if (files === undefined) throw new Error('SQLite has no files')
  methods('sqlite', () => openBenchFiles(files.engine, files.file, 'memory'), SHAPES)
})

function methods(
  kind: keyof typeof POSSIBLE,
  openServer: () => Promise<BenchServer>,
  shapes: typeof SHAPES,
): void {
  describe('every method', () => {
    let benchServer: BenchServer
    beforeAll(async () => {
      benchServer = await openServer()
    })
    afterAll(() => benchServer.close())

    it.each(shapes)('leaves no row and can be repeated: $id', async ({ id, shape }) => {
      const reason = benchServer.engine.bench.lacks(shape)
      if (reason !== undefined) {
        expect(kind).not.toBe('postgres')
        return
      }
      const benchDatabase = await benchServer.build(shape)
      const metrics = await storageMetricsOf(benchServer.engine, benchDatabase.connection)
      const asked = {
        engine: benchServer.engine,
        benchDatabase,
        shape,
        rowsPerTable: ROWS_PER_TABLE,
        metrics,
      }
      const done: string[] = []
      try {
        for (const method of METHODS) {
          const emptying = methodRunnerFor(method.id, asked)
          // A clone creates a whole database, whatever its content: the base case suffices.
          if (typeof emptying === 'string' || (method.id === 'clone' && id !== 'base')) continue
          done.push(method.id)
          for (let time = id === 'base' ? 1 : 2; time <= 2; time++) {
            const sample = await emptyOnce(asked, emptying, { readers: [], limitMs: 60_000, past: 'none' })
            expect(sample.ms).toBeGreaterThan(0)
            const counts = await Promise.all(
              [...benchTables(shape), ...(shape.children ? ['children'] : [])].map(async (table) => {
                const [row] = await emptying.connection().query(`SELECT COUNT(*) AS n FROM ${table}`)
                return Number(row?.n)
              }),
            )
            // The INSERT after each method leaves one row in the first table.
            expect(counts, method.id).toEqual(counts.map((_, index) => (index === 0 ? 1 : 0)))
            // SQLite keeps free pages in the file.
            if (kind !== 'sqlite' && id === 'base' && /truncate|drop|swap|clone/.test(method.id))
              expect(sample.leftBytes).toBe(0)
          }
        }
      } finally {
        await benchDatabase.close()
      }
      if (id === 'base') expect(done).toEqual(POSSIBLE[kind])
      expect(done).toContain('delete')
    })

    it('writes rows before it deletes them', async () => {
      const { shape } = CASES[0] ?? {}
      if (shape === undefined) throw new Error('there is a base case')
      const benchDatabase = await benchServer.build(shape)
      await benchDatabase.connection.query(
        benchServer.engine.bench.fill(shape, 1, ROWS_PER_TABLE).join(';\n'),
      )
      expect(
        await benchDatabase.connection.query(
          'SELECT MIN(id) AS least, MAX(id) AS most, COUNT(*) AS n FROM t1',
        ),
      ).toEqual([{ least: 1, most: ROWS_PER_TABLE, n: expect.anything() }])
      // A loop that runs out of time reports its progress.
      const metrics = await storageMetricsOf(benchServer.engine, benchDatabase.connection)
      const asked = {
        engine: benchServer.engine,
        benchDatabase,
        shape,
        rowsPerTable: ROWS_PER_TABLE,
        metrics,
      }
      for (const method of ['batch-100', 'orm-100'] as const) {
        const loop = methodRunnerFor(method, asked)
        if (typeof loop === 'string') throw new Error(loop)
        await expect(emptyOnce(asked, loop, { readers: [], limitMs: -1, past: 'none' })).rejects.toThrow(
          TimeLimitExceeded,
        )
      }
      await benchDatabase.close()
    })
  })
}
