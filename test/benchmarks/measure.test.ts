import { describe, expect, it } from 'vitest'
import { interleave, leastRoundsFor, summarize } from '../../src/bench/measure.ts'
import { randomFrom } from '../../src/generate/random.ts'

describe('summarize', () => {
  it('gives the median and the quartiles, interpolated between neighbours', () => {
    expect(summarize([4, 1, 3, 2])).toEqual({
      n: 4,
      median: 2.5,
      q1: 1.75,
      q3: 3.25,
      min: 1,
      max: 4,
    })
    expect(summarize([7])).toEqual({ n: 1, median: 7, q1: 7, q3: 7, min: 7, max: 7 })
  })

  it('throws without samples', () => {
    expect(() => summarize([])).toThrow(RangeError)
  })
})

describe('interleave', () => {
  /** Logs its rounds, and reports that each took `ms`. */
  const contender = (id: string, log: string[], ms = 1) => ({
    id,
    round: async () => {
      log.push(id)
      return ms
    },
  })
  const options = { rounds: 8, leastRounds: 3, budgetOf: () => 10_000, random: randomFrom(1) }

  it('interleaves the rounds of all contenders, after two warm-up rounds', async () => {
    const log: string[] = []
    const measured = await interleave([contender('a', log), contender('b', log)], options)
    expect(measured.get('a')?.samples).toHaveLength(8)
    const turns = Array.from({ length: 10 }, (_, turn) => log.slice(2 * turn, 2 * turn + 2))
    expect(turns.every((turn) => new Set(turn).size === 2)).toBe(true)
    expect(new Set(turns.map(([first]) => first))).toEqual(new Set(['a', 'b']))
  })

  it('runs fewer rounds of a slow contender, and only one if that exceeds its budget', async () => {
    const slow = (id: string) => ({
      id,
      round: () => new Promise<number>((resolve) => setTimeout(() => resolve(20), 20)),
    })
    const budgetOf = (id: string) => (id === 'slow' ? 90 : 10)
    const measured = await interleave([slow('slow'), slow('too slow')], { ...options, budgetOf })
    expect(measured.get('slow')?.samples.length).toBeGreaterThanOrEqual(3)
    expect(measured.get('slow')?.samples.length).toBeLessThan(8)
    expect(measured.get('too slow')).toMatchObject({ samples: [20], cold: true })
  })

  it('runs the least number of rounds by what is measured, even if the rehearsal was slower', async () => {
    expect([1, 999, 1000, 59_999, 60_000].map((ms) => leastRoundsFor(ms, 15))).toEqual([15, 15, 5, 5, 3])
    let round = 0
    const contender = { id: 'a', round: async () => (++round <= 2 ? 1500 : 3) }
    const measured = await interleave([contender], {
      ...options,
      rounds: 30,
      leastRounds: (ms) => leastRoundsFor(ms, 15),
      budgetOf: () => 0.001,
    })
    expect(measured.get('a')?.samples).toEqual(Array(15).fill(3))
  })

  it('continues without a contender that fails, and keeps its samples', async () => {
    let rounds = 0
    const failing = {
      id: 'failing',
      round: async () => {
        rounds++
        if (rounds > 4) throw new Error('no more')
        return rounds
      },
    }
    const measured = await interleave([failing, contender('a', [])], options)
    expect(measured.get('failing')).toMatchObject({ samples: [3, 4], failure: new Error('no more') })
    expect(measured.get('a')?.samples).toHaveLength(8)
  })
})
