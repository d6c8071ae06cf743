import { describe, expect, it } from 'vitest'
import { type MatrixOptions, measureMatrix } from '../../src/bench/matrix.ts'
import { type BenchResults, findCell, parseResults } from '../../src/bench/results.ts'
import { summarize } from '../../src/bench/summary.ts'
import { targetOf } from '../../src/bench/target.ts'

const reported: BenchResults[] = []

/** SQLite needs no server. */
const options: MatrixOptions = {
  targets: [targetOf('sqlite', [])],
  rows: [0, 10, 1000],
  cases: ['base', 'indexes=5', 'partitions=10', 'readers=4', 'disk'],
  methods: ['delete', 'delete-rows', 'truncate', 'batch-100', 'drop-create'],
  rounds: 5,
  leastRounds: 3,
  budgetMs: 20,
  limitMs: 5_000,
  seed: 1,
  onProgress: () => {},
  onBlock: async (results) => {
    reported.push(structuredClone(results))
  },
}

describe('the matrix', () => {
  it('has a cell for each method, case and number of rows, measured or with a reason', async () => {
    const results = await measureMatrix(options)
    const base = { server: 'sqlite', case: 'base', rows: 1000 }
    expect(findCell(results, { ...base, method: 'delete-rows' })).toMatchObject({
      outcome: 'measured',
      n: expect.any(Number),
      journalBytes: null,
      freedBytes: 0,
      leftBytes: expect.any(Number),
      readerWaitMs: null,
      nextInsertMs: expect.any(Number),
    })
    expect(findCell(results, { ...base, method: 'truncate' })).toMatchObject({ outcome: 'not possible' })
    expect(findCell(results, { ...base, case: 'partitions=10', rows: 10, method: 'delete' })).toMatchObject({
      outcome: 'not possible',
      reason: 'there are no partitions',
    })
    expect(findCell(results, { ...base, case: 'readers=4', rows: 10, method: 'delete' })).toMatchObject({
      outcome: 'not possible',
    })
    expect(findCell(results, { ...base, case: 'disk', rows: 10, method: 'delete' })?.outcome).toBe('measured')
    const kept = findCell(results, { ...base, method: 'delete-rows' })
    if (kept?.outcome !== 'measured') throw new Error(kept?.outcome)
    expect(kept.samples).toHaveLength(kept.n)
    expect(summarize(kept.samples ?? []).median).toBeCloseTo(kept.median, 3)
    // Only the base case runs every method.
    expect(findCell(results, { ...base, case: 'indexes=5', rows: 10, method: 'batch-100' })).toBeUndefined()
    expect(results.cells).toHaveLength(3 * 5 + 4 * 2 * 2)
    expect(results.servers[0]?.conditions).toEqual({
      memory: expect.stringMatching(/^files in memory .*synchronous OFF$/),
      disk: expect.stringMatching(/^files on a disk.*synchronous OFF$/),
    })
    expect(results.servers[0]?.settings?.disk).toMatchObject({ synchronous: 'OFF' })
    expect(results.complete).toBe(true)
    expect(parseResults(JSON.stringify(results), 'it')).toEqual(results)
  })

  it('reports its results after each cell group, and resumes from them', async () => {
    const cutOff = reported[1]
    if (cutOff === undefined) throw new Error('nothing was reported')
    expect(cutOff.complete).toBe(false)
    const results = await measureMatrix({ ...options, previous: cutOff })
    expect(results.cells.slice(0, cutOff.cells.length)).toEqual(cutOff.cells)
    expect(results.cells).toHaveLength(3 * 5 + 4 * 2 * 2)
    expect(results.date).toBe(cutOff.date)
    expect(results.servers).toHaveLength(1)
  })

  it('adds to earlier results', async () => {
    const first = await measureMatrix({ ...options, cases: ['base'], rows: [10] })
    const both = await measureMatrix({ ...options, cases: ['indexes=0'], previous: first, rows: [100] })
    expect(both.settings.cases).toEqual(['base', 'indexes=0'])
    expect(both.cells.slice(0, first.cells.length)).toEqual(first.cells)
    expect(
      findCell(both, { server: 'sqlite', case: 'indexes=0', rows: 100, method: 'delete' })?.outcome,
    ).toBe('measured')
  })

  it('measures only missing methods', async () => {
    const single = { ...options, cases: ['base'], rows: [10], methods: ['delete-rows'] as const }
    const first = await measureMatrix(single)
    const both = await measureMatrix({ ...single, methods: ['delete', 'delete-rows'], previous: first })
    expect(both.cells[0]).toEqual(first.cells[0])
    expect(both.cells.map(({ method }) => method)).toEqual(['delete-rows', 'delete'])
  })

  it('skips what would take too long, and names the basis of the extrapolation', async () => {
    const results = await measureMatrix({
      ...options,
      cases: ['base'],
      rows: [1000, 4000, 1_000_000],
      methods: ['delete-rows'],
      limitMs: 5,
    })
    expect(results.cells.map(({ outcome }) => outcome)).toEqual(['measured', 'measured', 'extrapolated'])
    expect(results.cells.at(-1)).toMatchObject({ basis: 'from 1,000 and 4,000 rows' })
  })

  it('measures skipped cells when the limit is raised', async () => {
    const long = {
      ...options,
      cases: ['base'],
      rows: [1000, 4000, 200_000],
      methods: ['delete-rows'] as const,
    }
    const first = await measureMatrix({ ...long, limitMs: 5 })
    const second = await measureMatrix({ ...long, previous: first })
    expect(second.cells.map(({ outcome }) => outcome)).toEqual(['measured', 'measured', 'measured'])
    expect(second.cells.slice(0, 2)).toEqual(first.cells.slice(0, 2))
    const third = await measureMatrix({ ...long, limitMs: 5, previous: second })
    expect(third.cells).toEqual(second.cells)
  })

  it('rejects results of another server version', async () => {
    const first = await measureMatrix({ ...options, cases: ['base'], rows: [10] })
    const previous = { ...first, servers: first.servers.map((server) => ({ ...server, version: '3.0' })) }
    await expect(measureMatrix({ ...options, cases: ['base'], previous })).rejects.toThrow(
      /The folder has results of other conditions: as sqlite SQLite 3\.0 .* rather than SQLite 3\.\d+\.\d+ /,
    )
  })

  it('aborts a loop that takes too long, and reports its progress', async () => {
    const results = await measureMatrix({
      ...options,
      cases: ['base'],
      rows: [50_000],
      methods: ['batch-100', 'delete'],
      limitMs: 2,
    })
    expect(results.cells).toEqual([
      expect.objectContaining({
        outcome: 'extrapolated',
        basis: expect.stringMatching(/^from .* % of the rows$/),
      }),
      expect.objectContaining({ outcome: 'measured' }),
    ])
  })

  it('leaves out cells that would not fit', async () => {
    const results = await measureMatrix({
      ...options,
      cases: ['width=off-page', 'each-of=10'],
      rows: [10, 100_000_000],
    })
    expect(results.cells.filter(({ outcome }) => outcome === 'left out')).toHaveLength(4)
    expect(
      findCell(results, { server: 'sqlite', case: 'width=off-page', rows: 100_000_000, method: 'delete' }),
    ).toMatchObject({
      reason: expect.stringMatching(/^they would take 1,872 GiB of memory, and .* are free$/),
    })
  })

  it('writes so many rows to each table of a case with many', async () => {
    const results = await measureMatrix({
      ...options,
      cases: ['base', 'each-of=10'],
      rows: [2000],
      methods: ['delete'],
    })
    const left = (id: string) => {
      const cell = findCell(results, { server: 'sqlite', case: id, rows: 2000, method: 'delete' })
      return cell?.outcome === 'measured' ? (cell.leftBytes ?? 0) : 0
    }
    expect(left('base')).toBeGreaterThan(0)
    expect(left('each-of=10') / left('base')).toBeGreaterThan(8)
    expect(results.cases.map(({ id, tables }) => [id, tables])).toEqual([
      ['base', 1],
      ['each-of=10', 10],
    ])
  })

  it('measures at least 15 times what takes less than a second, whatever making the rows takes', async () => {
    const results = await measureMatrix({
      ...options,
      cases: ['base'],
      rows: [20_000],
      methods: ['delete', 'delete-rows'],
      rounds: 30,
      leastRounds: 15,
      budgetMs: 1,
    })
    for (const cell of results.cells) expect(cell).toMatchObject({ outcome: 'measured', n: 15 })
  })

  it('says beforehand what is left to measure, and what it needs', async () => {
    const lines: string[] = []
    const asked = { ...options, cases: ['base'], rows: [10], methods: ['delete'] as const }
    const onProgress = (line: string) => void lines.push(line)
    const previous = await measureMatrix({ ...asked, onProgress })
    expect(lines[0]).toMatch(/^1 sizes? to measure, about \d+:\d\d min .*, at most 1 MiB for rows$/)
    lines.length = 0
    await measureMatrix({ ...asked, previous, onProgress })
    expect(lines[0]).toBe('continues: 1 figure is there already; nothing is left to measure')
  })
})
