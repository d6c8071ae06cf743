import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { bestByHand, medianOf, type Results } from '../../benchmarks/reset/results.ts'
import { ratioTable } from '../../benchmarks/reset/table.ts'
import { serverAtHand } from '../support/servers.ts'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'afresh-bench-'))
afterAll(() => rmSync(folder, { recursive: true }))

function program(name: string, ...args: string[]): { status: number | null; output: string } {
  const run = spawnSync('npx', ['jiti', `benchmarks/${name}.ts`, ...args], { cwd: root, encoding: 'utf8' })
  return { status: run.status, output: run.stdout + run.stderr }
}

const server = serverAtHand('embedded:18')
const narrow = ['--servers', 'embedded:18', '--tables', '5', '--dirty', '0,2', '--rounds', '3', '--no-peers']
const skipped = 'missing' in server ? ` NOT RUN: embedded:18 (${server.missing})` : ''

describe.skipIf(skipped !== '')(`the benchmark of resets${skipped}`, () => {
  it('measures afresh, hand-written SQL and SELECT 1 side by side, and checks that everything is restored', () => {
    const { status, output } = program('reset/run', ...narrow, '--out', folder)
    expect(`${status} ${output}`).toMatch(/^0 .*\d+ figures/s)
    const results = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as Results
    expect(results.servers.map(({ id }) => id)).toEqual(['embedded:18'])
    expect(results.cells).toHaveLength(4 * 3)
    for (const cell of results.cells) expect(cell).toMatchObject({ outcome: 'measured', leaves: [] })
    const where = { server: 'embedded:18', tables: 5, dirty: 2, baseline: 'empty' } as const
    expect(bestByHand(results, where)?.median).toBeGreaterThan(0)
    expect(medianOf(results, where, 'afresh')).toBeGreaterThan(medianOf(results, where, 'floor') ?? 0)
  })

  it('rejects unknown options and values', () => {
    expect(program('reset/run', '--sever', 'x')).toMatchObject({
      status: 2,
      output: expect.stringMatching(/--servers LIST/),
    })
    expect(program('reset/run', '--tables', 'many')).toMatchObject({
      status: 2,
      output: expect.stringMatching(/many/),
    })
    expect(program('reset/run', '--no-peers', '--only', 'x')).toMatchObject({ status: 2 })
  })

  it.each([
    ['reset/run', '--tables', ''],
    ['reset/run', '--rounds', '0'],
    ['reset/run', '--rounds', '30,100'],
    ['workers/run', '--workers', '1e1'],
    ['soak/run', '--dirty', '31'],
  ])('%s refuses %s %j', (name, option, value) => {
    const { status, output } = program(name, option, value)
    expect(status).toBe(2)
    expect(output).toContain(`${option}: '${value}' is not `)
  })

  it('prints its options with --help', () => {
    const { status, output } = program('reset/run', '--help')
    expect(status).toBe(0)
    expect(output).toMatch(/^npm run bench:reset -- \[options\]/m)
  })
})

describe('the tables of ratios', () => {
  const cell = {
    server: 'postgres:18',
    tables: 100,
    baseline: 'empty',
    outcome: 'measured',
    n: 9,
    cold: false,
  } as const
  const timed = (method: string, dirty: number, median: number, leaves: string[] = []) =>
    ({ ...cell, method, dirty, median, q1: median, q3: median, leaves }) as const
  const method = { source: 'x', note: undefined } as const
  const results: Results = {
    format: 1,
    date: '2026-01-02T03:04:05.000Z',
    machine: { cpu: 'CPU', cores: 2, memoryGb: 8, os: 'Linux', node: '20.20.0' },
    settings: {
      rounds: 9,
      leastRounds: 3,
      budgetMs: 1,
      tooSlowMs: 1,
      minutes: 1,
      rowsPerTable: 10,
      seed: 1,
      tookSeconds: 1,
    },
    packages: {},
    servers: [{ id: 'postgres:18', title: 'PostgreSQL', version: '18.4' }],
    methods: [
      { ...method, id: 'afresh', label: 'afresh', kind: 'afresh' },
      { ...method, id: 'floor', label: 'SELECT 1', kind: 'floor' },
      { ...method, id: 'hand-a', label: 'hand-written', kind: 'hand' },
      { ...method, id: 'hand-b', label: 'hand-written, otherwise', kind: 'hand' },
      { ...method, id: 'slow', label: 'Slow', kind: 'peer' },
      { ...method, id: 'quick', label: 'Quick', kind: 'rollback' },
      { ...method, id: 'broken', label: 'Broken', kind: 'peer' },
    ],
    cells: [
      timed('afresh', 3, 2),
      timed('hand-a', 3, 1.6),
      timed('hand-b', 3, 1.5),
      timed('slow', 3, 61.2, ['ids']),
      timed('quick', 3, 1, ['writes of other connections']),
      { ...cell, method: 'broken', dirty: 3, outcome: 'failed', reason: 'no' },
      timed('afresh', 0, 0.3),
      timed('floor', 0, 0.2),
    ],
  }

  it('gives ratios to afresh, the best hand-written SQL, and what each method does not restore', () => {
    expect(ratioTable(results).split('\n').slice(2)).toEqual([
      '| **afresh** | **1** (2 ms) |  |',
      '| hand-written SQL, dirty tables known | 0.75× |  |',
      '| Quick (a bare rollback) | 0.5× | writes of other connections |',
      '| Slow | 31× | ids |',
      '',
      'Where a test wrote nothing, afresh takes this many times as long as `SELECT 1`: 1.5 (PostgreSQL 18).',
      '',
      'Medians of up to 9 interleaved rounds, 2026-01-02, CPU, 2 cores, Node 20.20.0.',
    ])
  })

  it('are written between the markers only', () => {
    const [json, page] = ['given.json', 'page.md'].map((name) => join(folder, name)) as [string, string]
    const write = () => program('reset/readme', '--results', json, '--page', page)
    writeFileSync(json, JSON.stringify(results))
    writeFileSync(page, 'before\n<!-- bench:reset -->\nold\n<!-- /bench:reset -->\nafter\n')
    expect(write()).toMatchObject({ status: 0 })
    expect(readFileSync(page, 'utf8')).toBe(
      `before\n<!-- bench:reset -->\n\n${ratioTable(results)}\n\n<!-- /bench:reset -->\nafter\n`,
    )
    writeFileSync(page, 'no markers')
    expect(write()).toMatchObject({ status: 1 })
    expect(readFileSync(page, 'utf8')).toBe('no markers')
  })

  it('of whole runs have the medians of each runner', () => {
    const page = join(folder, 'runs.md')
    writeFileSync(page, '<!-- bench:suite -->\nold\n<!-- /bench:suite -->\n')
    expect(program('suite/readme', '--readme', page, '--page', page)).toMatchObject({ status: 0 })
    expect(readFileSync(page, 'utf8')).toMatch(/\| \*\*afresh\*\* \| [\d.]+ s \| [\d.]+ s \| {2}\|/)
  })
})
