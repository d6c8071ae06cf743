import { describe, expect, it } from 'vitest'
import { CASES, caseOf } from '../../src/bench/cases.ts'
import { mostRows, neededBytes, reasonNotToFit, roomOn } from '../../src/bench/needs.ts'

const GIB = 2 ** 30
const memory = { place: 'memory', freeBytes: 10 * GIB, fileSystem: 'tmpfs' } as const

describe('the room that rows need', () => {
  it('counts all tables, databases and bytes of a row', () => {
    const base = neededBytes(caseOf('base'), 1000)
    expect(neededBytes(caseOf('each-of=100'), 1000)).toBe(100 * base)
    expect(neededBytes(caseOf('workers=8'), 1000)).toBe(8 * base)
    expect(neededBytes(caseOf('width=off-page'), 1000)).toBeGreaterThan(50 * base)
  })

  it('is compared with what is free', () => {
    expect(reasonNotToFit(caseOf('base'), 1_000_000, memory)).toBeUndefined()
    expect(reasonNotToFit(caseOf('base'), 100_000_000, memory)).toMatch(
      /^they would take 22 GiB of memory, and 10 GiB are free$/,
    )
    const elsewhere = { place: 'the server', freeBytes: undefined, fileSystem: undefined } as const
    expect(reasonNotToFit(caseOf('base'), 100_000_000, elsewhere)).toMatch(
      /at most 6.0 GiB of a server that it did not start/,
    )
  })

  it.each(CASES)('says how many rows would fit: $id', (benchCase) => {
    const most = mostRows(benchCase, memory)
    expect(most).toBeGreaterThan(0)
    expect(reasonNotToFit(benchCase, most, memory)).toBeUndefined()
    expect(reasonNotToFit(benchCase, 1.2 * most + 10, memory)).toBeDefined()
  })

  it('knows what this machine has', () => {
    for (const storage of ['memory', 'disk'] as const)
      expect(roomOn(storage, 'process').freeBytes).toBeGreaterThan(0)
  })
})
