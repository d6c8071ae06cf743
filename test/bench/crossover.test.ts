import { describe, expect, it } from 'vitest'
import { crossoverOf, zeroOnLogAxis } from '../../src/bench/crossover.ts'
import type { Cell } from '../../src/bench/results.ts'

const caseKey = { server: 's', case: 'base' }

/**
 * `2`: a median of 2 ms, with quartiles at `spread` (a share) around it; `'2'`: extrapolated; `null`: failed.
 */
function cells(
  method: string,
  times: Readonly<Record<number, number | string | null>>,
  spread = 0.05,
): Cell[] {
  return Object.entries(times).map(([size, time]): Cell => {
    const cell = { ...caseKey, rows: Number(size), method }
    if (time === null) return { ...cell, outcome: 'failed', reason: 'broken' }
    const median = Number(time)
    if (typeof time === 'string') return { ...cell, outcome: 'extrapolated', median, basis: 'a guess' }
    const [q1, q3] = [median * (1 - spread), median * (1 + spread)]
    const unknown = {
      journalBytes: null,
      freedBytes: null,
      leftBytes: null,
      readerWaitMs: null,
      nextInsertMs: null,
    }
    return { ...cell, outcome: 'measured', n: 9, median, q1, q3, min: q1, max: q3, ...unknown }
  })
}

function crossing(
  deletes: Readonly<Record<number, number | string | null>>,
  truncates: Readonly<Record<number, number | string | null>>,
  spread?: number,
) {
  return crossoverOf([...cells('delete', deletes, spread), ...cells('truncate', truncates, spread)], caseKey)
}

describe('the crossover', () => {
  it('is where straight lines between the sizes meet on log-log axes', () => {
    const found = crossing({ 100: 0.1, 10000: 10 }, { 100: 1, 10000: 1 })
    expect(found).toMatchObject({
      kind: 'crosses',
      below: 'delete',
      above: 'truncate',
      isExtrapolated: false,
    })
    if (found.kind !== 'crosses') throw new Error(found.kind)
    expect(found.rows).toBeCloseTo(1000, 6)
    expect(found.range.from).toBeLessThan(1000)
    expect(found.range.to).toBeGreaterThan(1000)
    expect(found.range.to / found.range.from).toBeLessThan(1.5)
  })

  it('is a range that includes every size that is too close to call', () => {
    const found = crossing({ 1: 0.5, 10: 0.95, 100: 1.02, 1000: 5 }, { 1: 1, 10: 1, 100: 1, 1000: 1 }, 0.1)
    expect(found).toMatchObject({ kind: 'crosses', above: 'truncate', exceptions: [] })
    if (found.kind !== 'crosses') throw new Error(found.kind)
    expect(found.range.from).toBeLessThan(10)
    expect(found.range.to).toBeGreaterThan(100)
    expect(found.rows).toBeGreaterThan(10)
    expect(found.rows).toBeLessThan(100)
  })

  it('may go in the other direction: TRUNCATE for few rows, DELETE for many', () => {
    const found = crossing({ 10: 5, 1000: 5 }, { 10: 1, 1000: 25 })
    expect(found).toMatchObject({ kind: 'crosses', below: 'truncate', above: 'delete' })
    if (found.kind === 'crosses') expect(found.rows).toBeCloseTo(100, 6)
  })

  it('does not exist where one method is faster at every size', () => {
    expect(crossing({ 0: 1, 10: 1, 100: 1 }, { 0: 9, 10: 9, 100: 9 })).toEqual({
      kind: 'always',
      faster: 'delete',
      sizes: { from: 0, to: 100 },
      certain: { from: 0, to: 100 },
      doubts: [],
      isExtrapolated: false,
    })
    expect(crossing({ 0: 1.01, 10: 2, 100: 20 }, { 0: 1, 10: 1, 100: 1 })).toMatchObject({
      kind: 'always',
      faster: 'truncate',
      certain: { from: 10, to: 100 },
    })
  })

  it('does not exist where noise hides any difference, or nothing is comparable', () => {
    expect(crossing({ 0: 1, 10: 1.05 }, { 0: 1.02, 10: 1 })).toEqual({
      kind: 'equal',
      sizes: { from: 0, to: 10 },
    })
    expect(crossing({ 0: 1, 10: 2 }, {})).toEqual({ kind: 'unknown' })
    expect(crossing({ 0: 1, 10: null }, { 0: null, 10: 1 })).toEqual({ kind: 'unknown' })
    expect(crossoverOf([], caseKey)).toEqual({ kind: 'unknown' })
  })

  it('uses extrapolated times only where nothing was measured, and says so', () => {
    const below = crossing({ 100: 0.1, 10000: '10' }, { 100: 1, 10000: 1 })
    expect(below).toMatchObject({ kind: 'always', faster: 'delete', sizes: { from: 100, to: 100 } })
    const before = crossing({ 100: 0.1, 10000: 10, 1000000: '1000' }, { 100: 1, 10000: 1, 1000000: 1 })
    expect(before).toMatchObject({ kind: 'crosses', isExtrapolated: false, sizes: { from: 100, to: 10000 } })
    expect(crossing({ 100: '9' }, { 100: 1 })).toMatchObject({ kind: 'always', isExtrapolated: true })
  })

  it('ignores sizes at which either method has no time', () => {
    const found = crossing({ 100: 0.1, 1000: null, 10000: 10 }, { 100: 1, 1000: 1, 10000: 1 })
    if (found.kind !== 'crosses') throw new Error(found.kind)
    expect(found.rows).toBeCloseTo(1000, 6)
  })

  it('takes the last crossing, and lists smaller sizes that contradict it', () => {
    const found = crossing({ 0: 5, 10: 0.1, 1000: 10 }, { 0: 1, 10: 1, 1000: 1 })
    expect(found).toMatchObject({ kind: 'crosses', above: 'truncate', exceptions: [0] })
    if (found.kind === 'crosses') expect(found.rows).toBeCloseTo(100, 6)
  })

  it('puts 0 rows a decade below the first size', () => {
    const found = crossing({ 0: 0.1, 10: 10 }, { 0: 1, 10: 1 })
    if (found.kind !== 'crosses') throw new Error(found.kind)
    expect(found.rows).toBeCloseTo(10 ** 0.5, 6)
    expect(zeroOnLogAxis([0, 10, 100])).toBe(1)
    expect(zeroOnLogAxis([0])).toBe(0.1)
    expect(crossing({ 0: 0.1, 1: 10 }, { 0: 1, 1: 1 })).toMatchObject({ rows: 1 })
  })

  it('accepts times of 0 ms', () => {
    expect(crossing({ 10: 0 }, { 10: 0 })).toMatchObject({ kind: 'equal' })
    expect(crossing({ 10: 0 }, { 10: 1 })).toMatchObject({ kind: 'always', faster: 'delete' })
  })

  it('compares any two methods on one server in one case', () => {
    const others = cells('swap', { 1: 9 }).map((cell) => ({ ...cell, case: 'indexes=5' }))
    const all = [...cells('delete', { 1: 1 }), ...cells('swap', { 1: 5 }), ...others]
    expect(crossoverOf(all, caseKey, ['swap', 'delete'])).toMatchObject({ kind: 'always', faster: 'delete' })
    expect(crossoverOf(all, { ...caseKey, server: 'other' })).toEqual({ kind: 'unknown' })
  })
})
