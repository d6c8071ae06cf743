import { describe, expect, it } from 'vitest'
import { assignSequenceRanges } from '../../src/plan/sequence-ranges.ts'
import { schemaOf, sequence } from '../support/schemas.ts'

describe('spread sequences', () => {
  const spread = (...sequences: ReturnType<typeof sequence>[]) =>
    assignSequenceRanges(schemaOf(['t'], { sequences })).sequences.map(({ position }) => position.value)

  it('start in their own ranges', () => {
    expect(spread(sequence('a'), sequence('b'), sequence('c'))).toEqual([1_000_001n, 2_000_001n, 3_000_001n])
  })

  it('have a smaller stride for a narrow type, and stay unchanged if the type is too narrow', () => {
    expect(
      spread(sequence('a', undefined, { max: 32_767n }), sequence('b', undefined, { max: 32_767n })),
    ).toEqual([10_001n, 20_001n])
    expect(spread(sequence('a', undefined, { max: 127n }))).toEqual([1n])
  })

  it('stay unchanged beyond their range, or if they count down', () => {
    expect(spread(sequence('a', undefined, { position: { value: 5_000_000n, called: true } }))).toEqual([
      5_000_000n,
    ])
    expect(
      spread(sequence('a', undefined, { increment: -1n, position: { value: -1n, called: false } })),
    ).toEqual([-1n])
  })

  it('keep the `called` flag of their position', () => {
    const { sequences } = assignSequenceRanges(
      schemaOf(['t'], { sequences: [sequence('a', undefined, { position: { value: 7n, called: true } })] }),
    )
    expect(sequences[0]?.position).toEqual({ value: 1_000_000n, called: true })
  })

  it('are unchanged if they are spread already', () => {
    const once = assignSequenceRanges(schemaOf(['t'], { sequences: [sequence('a'), sequence('b')] }))
    expect(assignSequenceRanges(once)).toEqual(once)
  })
})
