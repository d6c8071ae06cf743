import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Choice, type Costs, MOST_BYTES, thresholdOf, truncateCost } from '../../src/plan/cost.ts'
import type { Table } from '../../src/schema/schema.ts'
import { table } from '../support/schemas.ts'

/** As measured on servers, and far beyond; in microseconds. */
const time = fc.double({ min: 0, max: 1e6, noNaN: true })
const costs: fc.Arbitrary<Costs> = fc.record({
  truncate: time,
  truncateFile: fc.double({ min: 1, max: 1e6, noNaN: true }),
  truncateKey: time,
  planTable: time,
  deleteRow: fc.double({ min: 0.01, max: 1e6, noNaN: true }),
  deleteIndexRow: time,
  probeRow: time,
  referredRow: time,
  readPage: fc.oneof(fc.constant(0), fc.double({ min: 1e-3, max: 1e3, noNaN: true })),
  restart: time,
  pageBytes: fc.constantFrom(4096, 8192, 16_384, 65_536),
})
const stored: fc.Arbitrary<Table> = fc
  .record({ files: fc.integer({ min: 1, max: 300 }), indexes: fc.integer({ min: 0, max: 64 }) })
  .map((storage) => ({ ...table('t'), storage }))
const choice: fc.Arbitrary<Choice> = fc
  .record({
    closure: fc.array(stored, { minLength: 1, maxLength: 64 }),
    tables: fc.integer({ min: 1, max: 1000 }),
    checkedKeys: fc.nat(20),
    incomingKeys: fc.nat(20),
    counter: fc.constantFrom('none' as const, 'at start' as const, 'elsewhere' as const),
  })
  .map(({ closure, ...rest }) => ({ table: closure[0] ?? table('t'), closure, ...rest }))

describe('the threshold for TRUNCATE', () => {
  it('is a number of rows, and of whole pages, that SQL and JSON can hold', () => {
    fc.assert(
      fc.property(costs, choice, (prices, of) => {
        const { aboveRows, aboveRowsIfMoved, aboveBytes, deadBytes } = thresholdOf(prices, of)
        for (const number of [aboveRows, aboveRowsIfMoved, aboveBytes, deadBytes]) {
          expect(Number.isSafeInteger(number)).toBe(true)
          expect(number).toBeGreaterThanOrEqual(0)
        }
        for (const bytes of [aboveBytes, deadBytes]) expect(bytes % prices.pageBytes).toBe(0)
        expect(aboveRowsIfMoved).toBeLessThanOrEqual(aboveRows)
        expect(deadBytes).toBeGreaterThanOrEqual(prices.pageBytes)
      }),
    )
  })

  it('grows with the tables that have to be truncated too', () => {
    fc.assert(
      fc.property(costs, choice, stored, (prices, of, table) => {
        const less = thresholdOf(prices, of)
        const more = thresholdOf(prices, { ...of, closure: [...of.closure, table] })
        for (const name of ['aboveRows', 'aboveRowsIfMoved', 'aboveBytes', 'deadBytes'] as const) {
          expect(more[name]).toBeGreaterThanOrEqual(less[name])
        }
      }),
    )
  })

  it('shrinks with additional work of DELETE, and with the cost of reading dead rows', () => {
    fc.assert(
      fc.property(costs, choice, fc.double({ min: 1, max: 100, noNaN: true }), (prices, of, times) => {
        const { aboveRows, deadBytes } = thresholdOf(prices, of)
        const checked = { ...prices, probeRow: Math.max(prices.probeRow, prices.referredRow) }
        expect(
          thresholdOf(checked, { ...of, checkedKeys: of.checkedKeys + 1 }).aboveRows,
        ).toBeLessThanOrEqual(thresholdOf(checked, of).aboveRows)
        for (const part of ['deleteRow', 'deleteIndexRow', 'probeRow', 'referredRow'] as const) {
          const dearer = thresholdOf({ ...prices, [part]: prices[part] * times }, of)
          expect(dearer.aboveRows).toBeLessThanOrEqual(aboveRows)
        }
        const slower = thresholdOf({ ...prices, readPage: prices.readPage * times }, of)
        expect(slower.deadBytes).toBeLessThanOrEqual(deadBytes)
      }),
    )
  })

  it('is at least the number of rows that fit into `aboveBytes`, for any row size', () => {
    fc.assert(
      fc.property(costs, choice, fc.double({ min: 36, max: 8000, noNaN: true }), (prices, of, rowBytes) => {
        const { aboveRows, aboveBytes } = thresholdOf(prices, of)
        const pages = Math.floor(aboveBytes / prices.pageBytes)
        const rows = pages * (prices.pageBytes / rowBytes)
        expect(rows).toBeLessThanOrEqual(aboveRows * (1 + 1e-9))
      }),
    )
  })

  it('does not depend on the unit of time', () => {
    fc.assert(
      fc.property(costs, choice, (prices, of) => {
        const { pageBytes, ...times } = prices
        const doubled = Object.fromEntries(Object.entries(times).map(([name, value]) => [name, 2 * value]))
        expect(thresholdOf({ ...doubled, pageBytes } as Costs, of)).toEqual(thresholdOf(prices, of))
      }),
    )
  })
})

const prices: Costs = {
  truncate: 100,
  truncateFile: 50,
  truncateKey: 0,
  planTable: 0,
  deleteRow: 0.25,
  deleteIndexRow: 0.125,
  probeRow: 7.75,
  referredRow: 0.25,
  readPage: 0.5,
  restart: 0,
  pageBytes: 8192,
}

function threshold(storage: Partial<Table['storage']>, of: Partial<Choice> = {}, other: Partial<Costs> = {}) {
  const single = { ...table('t'), storage: { files: 1, indexes: 0, ...storage } }
  const { aboveRows, aboveRowsIfMoved, ...rest } = thresholdOf(
    { ...prices, ...other },
    { table: single, closure: [single], tables: 1, checkedKeys: 0, incomingKeys: 0, counter: 'none', ...of },
  )
  return { above: aboveRows, moved: aboveRowsIfMoved, ...rest }
}

describe('the cost', () => {
  it('of TRUNCATE is that of its files, compared with DELETE by row', () => {
    const closure = [{ ...table('t'), storage: { files: 6, indexes: 2 } }, table('u')]
    const of = {
      table: table('t'),
      closure,
      tables: 10,
      checkedKeys: 0,
      incomingKeys: 1,
      counter: 'none',
    } as const
    expect(truncateCost(prices, of)).toBeCloseTo(1.2 * 450)
    expect(truncateCost({ ...prices, planTable: 20 }, of)).toBeCloseTo(1.2 * 650)
    expect(truncateCost({ ...prices, truncateKey: 30 }, of)).toBeCloseTo(1.2 * 480)
    expect(threshold({ files: 6 })).toMatchObject({ above: 480 / 0.25 })
    expect(threshold({ files: 6, indexes: 2 })).toMatchObject({ above: 480 / 0.5 })
    expect(threshold({ files: 6 }, { checkedKeys: 1, incomingKeys: 1 })).toMatchObject({ above: 480 / 8 })
    expect(threshold({ files: 6 }, { incomingKeys: 1 })).toMatchObject({ above: 480 / 0.5 })
  })

  it('omits what TRUNCATE saves, and adds what it requires', () => {
    const restart = { restart: 200 }
    expect(threshold({ files: 6 }, { counter: 'at start' }, restart)).toMatchObject({
      above: 1920,
      moved: 960,
    })
    expect(threshold({ files: 6 }, { counter: 'elsewhere' }, restart)).toMatchObject({
      above: 2880,
      moved: 1920,
    })
    expect(threshold({ files: 6 }, { counter: 'none' }, restart)).toMatchObject({ above: 1920, moved: 1920 })
    expect(threshold({ files: 6 }, { counter: 'at start' }, { restart: 400 })).toMatchObject({ moved: 0 })
    // Both methods check the keys, which cancels out. A referenced row costs twice as much here.
    const keys = { incomingKeys: 3, counter: 'at start' } as const
    expect(threshold({ files: 6 }, keys, { ...restart, truncateKey: 50 })).toMatchObject({ moved: 480 })
  })

  it('of reading dead rows limits how much a table may grow', () => {
    // 12,000 µs: the reads of 154 resets that each add a page
    expect(threshold({ files: 198 }).deadBytes).toBe(154 * 8192)
    expect(threshold({ files: 198 }, {}, { readPage: 0 }).deadBytes).toBe(MOST_BYTES)
  })
})
