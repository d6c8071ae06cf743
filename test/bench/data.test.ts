import { describe, expect, it } from 'vitest'
import { type BenchServer, openBenchServer } from '../../src/bench/bench-server.ts'
import { caseOf } from '../../src/bench/cases.ts'
import { measureCellGroup } from '../../src/bench/cell-group.ts'
import { withDatabases } from '../../src/bench/group-cells.ts'
import { randomFrom } from '../../src/generate/random.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'

/** Enough for MySQL to begin to shuffle what has no order. */
const ROWS = 150_000

async function onServer(
  server: ServerAtHand,
  work: (benchServer: BenchServer) => Promise<void>,
): Promise<void> {
  const benchServer = await openBenchServer(server.url, { startedByAfresh: true, allow: [] })
  try {
    await work(benchServer)
  } finally {
    await benchServer.close()
  }
}

const bytesPerRow = new Map<string, number>()

for (const id of ['embedded:18', 'mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    it('writes rows in the order of their key, which takes no more space than sorted rows', () =>
      onServer(server, async (benchServer) => {
        const { shape } = caseOf('base')
        const { bench } = benchServer.engine
        const benchDatabase = await benchServer.build({ ...shape, tables: 2 })
        const { connection } = benchDatabase
        const bytes = async () => bench.bytes(connection)
        const empty = await bytes()
        await connection.query(bench.fill(shape, 1, ROWS).join(';\n'))
        const filled = await bytes()
        await connection.query(
          `INSERT INTO t2 (id, parent, a, b, c, d, e, label)
           SELECT id, parent, a, b, c, d, e, label FROM t1 ORDER BY id`,
        )
        const sorted = (await bytes()) - filled
        await benchDatabase.close()
        // InnoDB extends its files by 1 to 4 MiB at a time.
        expect(filled - empty).toBeLessThan(1.15 * sorted + 4 * 2 ** 20)
        bytesPerRow.set(id, (filled - empty) / ROWS)
      }))

    it('records every setting that moves a time', () =>
      onServer(server, async ({ engine, settings }) => {
        const names =
          engine.name === 'postgres'
            ? [
                'shared_buffers',
                'fsync',
                'full_page_writes',
                'synchronous_commit',
                'autovacuum',
                'max_wal_size',
              ]
            : ['innodb_buffer_pool_size', 'innodb_flush_log_at_trx_commit', 'log_bin', 'innodb_doublewrite']
        for (const name of names) expect(settings[name], name).toBeTruthy()
        if (id === 'mysql:9.7') {
          expect(settings.innodb_change_buffering).toMatch(/^(all|none|inserts|deletes|changes|purges)$/)
          expect(settings.innodb_redo_log_capacity).toMatch(/ MB$/)
        }
      }))

    it('empties several databases at once, and what was deleted and tidied up before', () =>
      onServer(server, async (benchServer) => {
        const options = {
          ...{ rounds: 3, leastRounds: 3, budgetMs: 100, limitMs: 60_000 },
          random: randomFrom(1),
        }
        for (const name of ['workers=8', 'used', 'tidied']) {
          const benchCase = caseOf(name)
          await withDatabases(benchServer, benchCase, async (benchDatabases) => {
            expect(benchDatabases).toHaveLength(benchCase.workers)
            const group = { server: id, case: benchCase, rows: 200, methods: ['delete', 'truncate'] as const }
            const cells = await measureCellGroup(benchServer, benchDatabases, group, options, [])
            for (const cell of cells) expect(cell).toMatchObject({ outcome: 'measured', n: 3 })
            for (const { connection } of benchDatabases) {
              const [row] = await connection.query('SELECT COUNT(*) AS n FROM t1')
              expect(Number(row?.n)).toBeLessThanOrEqual(1)
            }
          })
        }
      }))

    it('says how long readers waited, as percentiles over all of their reads', () =>
      onServer(server, async (benchServer) => {
        await withDatabases(benchServer, caseOf('base'), async (benchDatabases) => {
          const group = { server: id, case: caseOf('base'), rows: 1000, methods: ['truncate'] as const }
          const options = {
            ...{ rounds: 3, leastRounds: 3, budgetMs: 100, limitMs: 60_000 },
            random: randomFrom(1),
          }
          const [cell] = await measureCellGroup(benchServer, benchDatabases, group, options, [])
          if (cell?.outcome !== 'measured') throw new Error(JSON.stringify(cell))
          expect(cell.samples).toHaveLength(3)
          const { reads = 0, p50 = 0, p99 = 0, max = 0 } = cell.reader ?? {}
          expect(reads).toBeGreaterThan(1)
          expect(p50).toBeGreaterThan(0)
          expect([p50, p99, max]).toEqual([p50, p99, max].toSorted((a, b) => a - b))
        })
      }))
  })
}

describe('the same rows', () => {
  it('take alike space on all engines', () => {
    const all = [...bytesPerRow.values()]
    if (all.length < 2) return
    expect(Math.max(...all) / Math.min(...all)).toBeLessThan(2)
  })
})
