import { describe, expect, it } from 'vitest'
import { allRows, CASES } from '../../src/bench/cases.ts'
import type { CellGroup } from '../../src/bench/cell-group.ts'
import { Estimate } from '../../src/bench/estimate.ts'
import { leastRoundsFor } from '../../src/bench/measure.ts'
import type { MethodId } from '../../src/engine/bench-dialect.ts'
import { generatedCell } from './generated.ts'

const EFFORT = { rounds: 30, leastRounds: 15, budgetMs: 1000, limitMs: 300_000 }
const METHODS: MethodId[] = ['delete', 'truncate', 'batch-100']

/** Milliseconds per row to write, and what each method takes, as measured on three servers. */
const SERVERS = {
  postgres: {
    fill: 0.0022,
    cost: { delete: [0.15, 0.00027], truncate: [0.5, 1e-5], 'batch-100': [0.2, 0.0014] },
  },
  mysql: { fill: 0.008, cost: { delete: [0.3, 0.0026], truncate: [3, 1e-5], 'batch-100': [0.3, 0.008] } },
  sqlite: {
    fill: 0.0007,
    cost: { delete: [0.03, 0.00003], truncate: [0.03, 0], 'batch-100': [0.03, 0.0006] },
  },
} as const

function simulate(server: keyof typeof SERVERS, group: CellGroup) {
  const { fill, cost } = SERVERS[server]
  const rows = allRows(group.case, group.rows)
  let total = 0
  const cells = group.methods.map((method) => {
    const [fixed, perRow] = cost[method as keyof typeof cost]
    const timed = fixed + perRow * rows
    const round = 2 + fill * rows + timed
    const n = Math.min(30, Math.max(leastRoundsFor(timed, 15), Math.floor(1000 / round)))
    total += round * (n + (rows < 100_000 ? 2 : 1) + (round < 6000 ? 5 : 0))
    return generatedCell({ server, case: group.case.id, rows: group.rows, method }, Array(n).fill(timed))
  })
  return { total, cells }
}

describe('the time that is left', () => {
  it.each(Object.keys(SERVERS) as (keyof typeof SERVERS)[])(
    'is right within a factor of 2 on %s, once 1,000 rows are measured',
    (server) => {
      const sizes = [0, 1, 10, 100, 1000, 10_000, 100_000, 1_000_000]
      const cases = CASES.filter(({ id }) => ['base', 'indexes=5', 'each-of=10'].includes(id))
      const groups = cases.flatMap((benchCase) =>
        sizes.map((rows): CellGroup => ({ server, case: benchCase, rows, methods: METHODS })),
      )
      const estimate = new Estimate(groups, EFFORT)
      const runs = groups.map((group) => ({ group, ...simulate(server, group) }))
      let left = runs.reduce((sum, { total }) => sum + total, 0)
      for (const [index, { group, total, cells }] of runs.entries()) {
        estimate.took(group, total, cells)
        estimate.done(group)
        left -= total
        if (index < 4 || left < 1000) continue
        const ratio = estimate.leftMs() / left
        const where = `${server}, ${group.case.id}, after ${group.rows} rows: ${ratio.toFixed(2)} times`
        expect(ratio, where).toBeGreaterThan(0.5)
        expect(ratio, where).toBeLessThan(2)
      }
    },
  )
})
