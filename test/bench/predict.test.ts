import { describe, expect, it } from 'vitest'
import { predict } from '../../src/bench/predict.ts'

describe('the predicted time of a method', () => {
  it('continues the trend: proportional, or flat', () => {
    const linear = [1000, 10_000, 100_000].map((rows) => ({ rows, ms: rows / 100 }))
    expect(predict(linear, 1_000_000)).toEqual({ ms: expect.closeTo(10_000), from: [10_000, 100_000] })
    const flat = [1000, 10_000].map((rows) => ({ rows, ms: 3 }))
    expect(predict(flat, 1_000_000)?.ms).toBeCloseTo(3)
  })

  it('does not shrink because of noise, and is not more than proportional', () => {
    expect(
      predict(
        [
          { rows: 1000, ms: 5 },
          { rows: 10_000, ms: 4 },
        ],
        100_000,
      )?.ms,
    ).toBeCloseTo(4)
    const steep = predict(
      [
        { rows: 1000, ms: 1 },
        { rows: 10_000, ms: 1000 },
      ],
      100_000,
    )
    expect(steep?.ms).toBeCloseTo(1000 * 10 ** 1.2)
  })

  it('is unknown from few rows, from one figure, or from more rows', () => {
    expect(
      predict(
        [
          { rows: 10, ms: 1 },
          { rows: 100, ms: 1 },
        ],
        1000,
      ),
    ).toBeUndefined()
    expect(predict([{ rows: 1000, ms: 1 }], 10_000)).toBeUndefined()
    expect(
      predict(
        [
          { rows: 1000, ms: 1 },
          { rows: 100_000, ms: 1 },
        ],
        10_000,
      ),
    ).toBeUndefined()
  })
})
