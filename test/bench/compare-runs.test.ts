import { describe, expect, it } from 'vitest'
import { compareRuns, slowerThan } from '../../src/bench/compare-runs.ts'
import type { BenchResults, MeasuredCell } from '../../src/bench/results.ts'

describe('two runs', () => {
  it('that are identical have no differences', () => {
    const run = runOf([cell('delete', 10), cell('truncate', 2)])
    expect(compareRuns(run, run)).toEqual({ drift: 1, within: 1, changed: [], compared: 2 })
  })

  it('on a uniformly slower machine differ only in drift', () => {
    const before = runOf(METHODS.map((method, index) => cell(method, 1 + index)))
    const after = runOf(METHODS.map((method, index) => cell(method, 2 * (1 + index))))
    const { drift, changed, within } = compareRuns(after, before)
    expect(drift).toBeCloseTo(2)
    expect(changed).toHaveLength(METHODS.length)
    for (const change of changed) {
      expect(change.ratio).toBeCloseTo(2)
      expect(change.besideDrift).toBeCloseTo(1)
    }
    expect(within).toBe(0)
  })

  it('say of a time that did not change that it did not, whatever the others did', () => {
    // Three of four became faster: against their drift, DELETE would be 5.5 times as slow.
    const before = runOf(['delete', 'truncate', 'swap', 'clone'].map((method) => cell(method, 0.3)))
    const after = runOf([
      cell('delete', 0.3),
      ...['truncate', 'swap', 'clone'].map((m) => cell(m, 0.3 / 5.5)),
    ])
    const { drift, changed } = compareRuns(after, before)
    expect(drift).toBeCloseTo(1 / 5.5)
    expect(changed.map(({ method }) => method)).not.toContain('delete')
    for (const { beforeMs, afterMs, ratio } of changed) expect(ratio).toBeCloseTo(afterMs / beforeMs)
  })

  it('fail by what certainly takes longer than allowed', () => {
    const samples = (ms: number) => Array.from({ length: 15 }, (_, index) => ms * (1 + index / 200))
    const sampled = (method: string, ms: number) => ({
      ...cell(method, ms * 1.035),
      n: 15,
      samples: samples(ms),
    })
    const before = runOf([sampled('delete', 10), sampled('truncate', 10), sampled('swap', 10)])
    const after = runOf([sampled('delete', 16), sampled('truncate', 13), sampled('swap', 5)])
    const comparison = compareRuns(after, before)
    expect(slowerThan(comparison, 1.25).map(({ method }) => method)).toEqual(['delete', 'truncate'])
    expect(slowerThan(comparison, 1.5).map(({ method }) => method)).toEqual(['delete'])
    expect(slowerThan(comparison, 2)).toEqual([])
  })

  it('differ where the interval of the ratio excludes 1, largest first', () => {
    const before = runOf(METHODS.map((method) => cell(method, 10)))
    const after = runOf(
      METHODS.map((method) => cell(method, method === 'truncate' ? 40 : method === 'swap' ? 5 : 10)),
    )
    const { changed } = compareRuns(after, before)
    expect(changed.map(({ method, ratio }) => [method, ratio])).toEqual([
      ['truncate', 4],
      ['swap', 0.5],
    ])
  })

  it('do not differ by noise, by small amounts, or by single measurements', () => {
    const before = runOf([
      { ...cell('delete', 10), q1: 5, q3: 30 },
      { ...cell('truncate', 10) },
      { ...cell('swap', 10), n: 1 },
      ...STEADY.map((method) => cell(method, 10)),
    ])
    const after = runOf([
      { ...cell('delete', 20) },
      { ...cell('truncate', 12) },
      { ...cell('swap', 90), n: 1 },
      ...STEADY.map((method) => cell(method, 10)),
    ])
    expect(compareRuns(after, before)).toMatchObject({ drift: 1, changed: [], compared: 8 })
  })

  it('may have nothing in common', () => {
    expect(compareRuns(runOf([cell('delete', 1)]), runOf([]))).toEqual({
      drift: 1,
      within: 1,
      changed: [],
      compared: 0,
    })
  })
})

const STEADY = ['drop-create', 'clone', 'orm-100', 'batch-100', 'batch-1000']
const METHODS = ['delete', 'truncate', 'swap', ...STEADY]

function cell(method: string, median: number): MeasuredCell {
  return {
    server: 'one',
    case: 'base',
    rows: 100,
    method,
    outcome: 'measured',
    n: 9,
    median,
    q1: median * 0.95,
    q3: median * 1.05,
    min: median * 0.9,
    max: median * 1.1,
    journalBytes: null,
    freedBytes: null,
    leftBytes: null,
    readerWaitMs: null,
    nextInsertMs: null,
  }
}

function runOf(cells: readonly MeasuredCell[]): BenchResults {
  return {
    format: 1,
    date: '2026-01-01T00:00:00.000Z',
    tookSeconds: 1,
    complete: true,
    machine: { cpu: 'one', cores: 2, memoryGb: 4, os: 'one', node: '20' },
    settings: {
      rows: [100],
      cases: ['base'],
      methods: METHODS,
      rounds: 9,
      leastRounds: 3,
      budgetMs: 100,
      seed: 1,
    },
    servers: [],
    cases: [],
    methods: [],
    cells: [...cells],
  }
}
