import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { fastestHandWritten, mergeRun, type Results } from '../../benchmarks/erase/results.ts'
import { nestedDeletes } from '../../benchmarks/erase/sql.ts'
import { eraseTables } from '../../benchmarks/erase/table.ts'
import { levelsOf } from '../../benchmarks/erase/tree.ts'
import { serverAtHand } from '../support/servers.ts'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'afresh-bench-erase-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

function program(name: string, ...args: string[]): { status: number | null; output: string } {
  const run = spawnSync('npx', ['jiti', `benchmarks/erase/${name}.ts`, ...args], {
    cwd: root,
    encoding: 'utf8',
  })
  return { status: run.status, output: run.stdout + run.stderr }
}

const server = serverAtHand('embedded:18')
const skipped = 'missing' in server ? ` NOT RUN: embedded:18 (${server.missing})` : ''
const out = join(folder, 'results.json')
const narrow = ['--servers', 'embedded:18', '--rows', '1000', '--depth', '3', '--rounds', '2', '--out', out]

describe.skipIf(skipped !== '')(`the benchmark of erase${skipped}`, () => {
  it('measures afresh and hand-written SQL side by side, and checks the remaining rows', () => {
    const { status, output } = program('run', ...narrow, '--methods', 'afresh,sql')
    expect(`${status} ${output}`).toMatch(/^0 .*afresh .* hand-written SQL/s)
    const results = JSON.parse(readFileSync(out, 'utf8')) as Results
    const where = { server: 'embedded:18', shape: 'fan', depth: 3, rows: 1000 } as const
    expect(results.cells.map(({ method }) => method)).toEqual(['afresh', 'sql'])
    for (const cell of results.cells) expect(cell).toMatchObject({ ...where, outcome: 'measured', n: 2 })
    expect(fastestHandWritten(results, where)).toBeGreaterThan(0)

    const again = program('run', ...narrow, '--methods', 'sql,declared', '--resume')
    expect(`${again.status} ${again.output}`).toMatch(/^0 /)
    const { cells, runs } = JSON.parse(readFileSync(out, 'utf8')) as Results
    expect(cells.map(({ method, run }) => `${method} ${run}`).toSorted()).toEqual([
      'afresh 0',
      'declared 1',
      'sql 1',
    ])
    expect(runs).toHaveLength(2)
  })

  it.each([
    ['--depth', '6'],
    ['--methods', 'magic'],
    ['--shapes', 'star'],
    ['--rows', 'many'],
  ])('refuses %s %j', (option, value) => {
    const { status, output } = program('run', option, value)
    expect(status).toBe(2)
    expect(output).toContain(`${option}: '${value}' is not `)
  })
})

describe('the tree', () => {
  it('has exactly the requested number of rows, and at least one in each table', () => {
    expect(levelsOf({ shape: 'fan', depth: 4, rows: 1111 })).toEqual([1, 10, 100, 1000])
    expect(levelsOf({ shape: 'even', depth: 3, rows: 1000 })).toEqual([333, 333, 334])
    expect(levelsOf({ shape: 'fan', depth: 5, rows: 1000 })).toEqual([1, 1, 9, 90, 899])
  })

  it('is deleted by hand-written SQL from the leaves up', () => {
    expect(nestedDeletes('plain', 3)).toEqual([
      'DELETE FROM l3 WHERE parent IN (SELECT id FROM l2 WHERE parent IN (SELECT id FROM l1 WHERE tenant = 1))',
      'DELETE FROM l2 WHERE parent IN (SELECT id FROM l1 WHERE tenant = 1)',
      'DELETE FROM l1 WHERE tenant = 1',
    ])
  })
})

describe('the tables of the README', () => {
  const where = { server: 'postgres:18', shape: 'fan', depth: 4, rows: 1000, run: 0 } as const
  const method = { source: 'x', engines: ['postgres'], family: 'plain' } as const
  const times = { n: 3, q1: 1, q3: 1, readyRssMb: 60, peakRssMb: 61 } as const
  const results: Results = {
    format: 1,
    runs: [
      {
        date: '2026-01-02T03:04:05.000Z',
        machine: { cpu: 'CPU', cores: 2, memoryGb: 8, os: 'Linux', node: '20.20.0' },
        settings: { rounds: 3, budgetSeconds: 20, seed: 1 },
        packages: {},
        servers: [{ id: 'postgres:18', title: 'PostgreSQL', version: '18.6' }],
      },
    ],
    methods: [
      { ...method, id: 'afresh', label: 'afresh', kind: 'afresh' },
      { ...method, id: 'sql', label: 'hand-written', kind: 'hand' },
      { ...method, id: 'orm', label: 'ORM', kind: 'orm' },
    ],
    cells: [
      { ...where, method: 'afresh', outcome: 'measured', median: 1500, toHandWritten: 1.25, ...times },
      { ...where, method: 'sql', outcome: 'measured', median: 1200, toHandWritten: 1, ...times },
      { ...where, method: 'orm', outcome: 'over the budget', reason: 'stopped after 20 s' },
    ],
  }

  it('give times, ratios to hand-written SQL, and stopped methods', () => {
    expect(eraseTables(results).split('\n').slice(4, 9)).toEqual([
      '| **afresh** | 1.5 s (1.3×) | 60 → 61 MB |',
      '| hand-written | 1.2 s (1×) | 60 → 61 MB |',
      '| ORM | > 20 s |  |',
      '',
      'afresh compared with hand-written SQL, by the number of tables: ten children each, 1,000 rows, 4: 1.3×.',
    ])
  })

  it('compare numbers of tables at the row count that most of them share', () => {
    const [cell] = results.cells
    if (cell === undefined) throw new Error('no cell')
    const cellOf = (depth: number, rows: number, toHandWritten: number) => ({
      ...cell,
      depth,
      rows,
      toHandWritten,
    })
    const cells = [
      cellOf(4, 10, 1.3),
      cellOf(4, 100, 1.2),
      cellOf(1, 100, 1),
      cellOf(1, 1000, 1),
      cellOf(4, 1000, 1.1),
      cellOf(4, 1e4, 1),
    ]
    expect(eraseTables({ ...results, cells })).toContain('ten children each, 1,000 rows, 1: 1×, 4: 1.1×.')
  })

  it('report where there was only one round', () => {
    expect(eraseTables(results)).toContain('up to 3 interleaved rounds, 2026')
    const cells = results.cells.map((cell) => ({ ...cell, n: 1 }))
    expect(eraseTables({ ...results, cells })).toContain('rounds, one with 1,000 rows, 2026')
  })

  it('omit a run whose cells were all measured again', () => {
    const [run] = results.runs
    if (run === undefined) throw new Error('no run')
    const [lost, kept, next] = ['lost', 'kept', 'next'].map((date) => ({ ...run, date }))
    const before = {
      ...results,
      runs: [lost, kept],
      cells: results.cells.map((cell) => ({ ...cell, run: 1 })),
    }
    const { runs, cells } = mergeRun(before as Results, next as typeof run, [])
    expect(runs).toEqual([kept, next])
    expect(cells).toEqual(results.cells)
  })

  it('are written between the markers only', () => {
    const [json, readme] = [join(folder, 'given.json'), join(folder, 'README.md')]
    writeFileSync(json, JSON.stringify(results))
    writeFileSync(readme, 'before\n<!-- bench:erase -->\nold\n<!-- /bench:erase -->\nafter\n')
    expect(program('readme', '--results', json, '--readme', readme)).toMatchObject({ status: 0 })
    expect(readFileSync(readme, 'utf8')).toBe(
      `before\n<!-- bench:erase -->\n\n${eraseTables(results)}\n\n<!-- /bench:erase -->\nafter\n`,
    )
  })
})
