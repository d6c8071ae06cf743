import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Choice, type Costs, thresholdOf, truncateCost } from '../../src/plan/cost.ts'
import type { Table } from '../../src/schema/schema.ts'
import { table } from '../support/schemas.ts'

/** As measured on servers, and far beyond; in microseconds. */
const time = fc.double({ min: 0, max: 1e6, noNaN: true })
const costs: fc.Arbitrary<Costs> = fc.record({
  truncate: time,
  truncateFile: fc.double({ min: 1, max: 1e6, noNaN: true }),
  deletePage: fc.double({ min: 0.01, max: 1e6, noNaN: true }),
  deleteIndexPage: time,
  probePage: time,
  deadPage: fc.oneof(fc.constant(0), fc.double({ min: 1e-3, max: 1e3, noNaN: true })),
  restart: time,
  pageBytes: fc.constantFrom(4096, 8192, 16_384, 65_536),
})
const stored: fc.Arbitrary<Table> = fc
  .record({ files: fc.integer({ min: 1, max: 300 }), indexes: fc.integer({ min: 0, max: 64 }) })
  .map((storage) => ({ ...table('t'), storage }))
const choice: fc.Arbitrary<Choice> = fc
  .record({
    closure: fc.array(stored, { minLength: 1, maxLength: 64 }),
    checkedKeys: fc.nat(20),
    counter: fc.constantFrom('none' as const, 'at start' as const, 'elsewhere' as const),
  })
  .map(({ closure, ...rest }) => ({ table: closure[0] ?? table('t'), closure, ...rest }))

describe('the size above which a table is truncated', () => {
  it('is a number of whole pages that SQL and JSON can hold, and one page at least', () => {
    fc.assert(
      fc.property(costs, choice, (prices, of) => {
        const { aboveBytes, aboveBytesIfMoved } = thresholdOf(prices, of)
        for (const bytes of [aboveBytes, aboveBytesIfMoved]) {
          expect(Number.isSafeInteger(bytes) && bytes % prices.pageBytes === 0).toBe(true)
        }
        expect(aboveBytes).toBeGreaterThanOrEqual(prices.pageBytes)
        expect(aboveBytesIfMoved).toBeLessThanOrEqual(aboveBytes)
      }),
    )
  })

  it('grows with what has to be truncated along with it', () => {
    fc.assert(
      fc.property(costs, choice, stored, (prices, of, another) => {
        const more = thresholdOf(prices, { ...of, closure: [...of.closure, another] })
        expect(more.aboveBytes).toBeGreaterThanOrEqual(thresholdOf(prices, of).aboveBytes)
        expect(more.aboveBytesIfMoved).toBeGreaterThanOrEqual(thresholdOf(prices, of).aboveBytesIfMoved)
      }),
    )
  })

  it('shrinks with what DELETE has to do besides, and with what reading what it leaves costs', () => {
    fc.assert(
      fc.property(costs, choice, fc.double({ min: 1, max: 100, noNaN: true }), (prices, of, times) => {
        const { aboveBytes } = thresholdOf(prices, of)
        expect(
          thresholdOf(prices, { ...of, checkedKeys: of.checkedKeys + 1 }).aboveBytes,
        ).toBeLessThanOrEqual(aboveBytes)
        for (const part of ['deletePage', 'deleteIndexPage', 'probePage', 'deadPage'] as const) {
          const dearer = thresholdOf({ ...prices, [part]: prices[part] * times }, of)
          expect(dearer.aboveBytes).toBeLessThanOrEqual(aboveBytes)
        }
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
  deletePage: 20,
  deleteIndexPage: 10,
  probePage: 400,
  deadPage: 0.25,
  restart: 0,
  pageBytes: 8192,
}

/** In pages. */
function pages(storage: Partial<Table['storage']>, of: Partial<Choice> = {}, other: Partial<Costs> = {}) {
  const one = { ...table('t'), storage: { files: 1, indexes: 0, ...storage } }
  const threshold = thresholdOf(
    { ...prices, ...other },
    { table: one, closure: [one], checkedKeys: 0, counter: 'none', ...of },
  )
  return {
    above: threshold.aboveBytes / 8192,
    moved: threshold.aboveBytesIfMoved / 8192,
    because: threshold.because,
  }
}

describe('the price', () => {
  it('of TRUNCATE is that of its files, against DELETE by the page, the first of which is free', () => {
    expect(truncateCost(prices, [{ ...table('t'), storage: { files: 6, indexes: 2 } }, table('u')])).toBe(450)
    expect(pages({ files: 6 })).toMatchObject({ above: 1 + 400 / 20, because: 'price' })
    expect(pages({ files: 6, indexes: 2 })).toMatchObject({ above: 1 + 400 / 40 })
    expect(pages({ files: 6 }, { checkedKeys: 1 })).toMatchObject({ above: 1 }) // 400 / 420 of a page
  })

  it('leaves out what TRUNCATE saves, and adds what it makes necessary', () => {
    const restart = { restart: 200 }
    expect(pages({ files: 6 }, { counter: 'at start' }, restart)).toMatchObject({ above: 21, moved: 11 })
    expect(pages({ files: 6 }, { counter: 'elsewhere' }, restart)).toMatchObject({ above: 31, moved: 21 })
    expect(pages({ files: 6 }, { counter: 'none' }, restart)).toMatchObject({ above: 21, moved: 21 })
    expect(pages({ files: 6 }, { counter: 'at start' }, { restart: 400 })).toMatchObject({ moved: 0 })
  })

  it('of reading what DELETE leaves behind bounds what a large closure may let grow', () => {
    // 10,000 µs: DELETE of 501 pages, or the reads of 200 resets that each add a page
    expect(pages({ files: 198 })).toEqual({ above: 200, moved: 200, because: 'bloat' })
    expect(pages({ files: 198 }, {}, { deadPage: 0 })).toMatchObject({ above: 501, because: 'price' })
  })
})
