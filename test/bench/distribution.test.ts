import { describe, expect, it } from 'vitest'
import { oddityOf } from '../../src/bench/distribution.ts'
import { randomFrom } from '../../src/generate/random.ts'
import { noise } from './generated.ts'

const random = randomFrom(23)

describe('an odd distribution', () => {
  it('is found where a part of the times stalls, or where they form two groups', () => {
    const times = (slowShare: number, slow: number, count = 20) =>
      Array.from(
        { length: count },
        (_, index) => (index < slowShare * count ? slow : 4) * noise(random, 0.05, 0),
      )
    expect(oddityOf(times(0.4, 100))).toBe('bimodal')
    expect(oddityOf(times(0.5, 9))).toBe('bimodal')
    expect(oddityOf(times(0.15, 100))).toBe('stalls')
    expect(oddityOf(times(0.4, 100, 6))).toBeUndefined()
  })

  it('is not found in ordinary noise', () => {
    const found = Array.from({ length: 300 }, () =>
      oddityOf(Array.from({ length: 15 }, () => 4 * noise(random, 0.1, 0))),
    ).filter((oddity) => oddity !== undefined)
    expect(found.length / 300).toBeLessThan(0.03)
  })
})
