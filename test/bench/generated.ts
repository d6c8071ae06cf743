import { METHODS } from '../../src/bench/methods.ts'
import type { BenchResults, Cell } from '../../src/bench/results.ts'
import { rounded } from '../../src/bench/sample.ts'
import { summarize } from '../../src/bench/summary.ts'
import type { Random } from '../../src/generate/random.ts'

/** What a method truly costs: milliseconds at a number of rows. */
export type TrueCost = (rows: number) => number

/** A factor around 1 as of a busy machine: mostly a few per cent, and now and then a stall. */
export function noise(random: Random, spread = 0.1, stalls = 0.05): number {
  const uniform = () => random.int(1, 1_000_000) / 1_000_001
  const normal = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
  return Math.exp(spread * normal) * (random.chance(stalls) ? 4 : 1)
}

/** A measured cell whose samples are generated. */
export function generatedCell(
  key: Pick<Cell, 'server' | 'case' | 'rows' | 'method'>,
  samples: readonly number[],
): Cell {
  const unknown = {
    ...{ journalBytes: null, freedBytes: null, leftBytes: null, readerWaitMs: null, nextInsertMs: null },
  }
  return { ...key, outcome: 'measured', ...summarize(samples), samples: samples.map(rounded), ...unknown }
}

export interface GeneratedOptions {
  readonly rows: readonly number[]
  readonly rounds: number
  readonly spread?: number
}

/** Results of one server and its base case, from what DELETE and TRUNCATE truly cost. */
export function generatedResults(
  costs: Readonly<Record<'delete' | 'truncate', TrueCost>>,
  { rows, rounds, spread }: GeneratedOptions,
  random: Random,
): BenchResults {
  const cells = (['delete', 'truncate'] as const).flatMap((method) =>
    rows.map((count) => {
      const samples = Array.from({ length: rounds }, () => costs[method](count) * noise(random, spread))
      return generatedCell({ server: 's', case: 'base', rows: count, method }, samples)
    }),
  )
  return {
    format: 1,
    date: '2026-12-01T00:00:00.000Z',
    tookSeconds: 1,
    complete: true,
    machine: { cpu: 'generated', cores: 2, memoryGb: 4, os: 'none', node: '20' },
    settings: {
      rows: [...rows],
      cases: ['base'],
      methods: ['delete', 'truncate'],
      ...{ rounds, leastRounds: rounds, budgetMs: 1000, seed: 1 },
    },
    servers: [{ id: 's', title: 'generated', engine: 'none', version: '1', conditions: {}, locks: {} }],
    cases: [{ id: 'base', factor: '', label: 'generated' }],
    methods: METHODS.filter(({ id }) => id === 'delete' || id === 'truncate').map(({ id, label, note }) => ({
      ...{ id, label, note },
    })),
    cells,
  }
}
