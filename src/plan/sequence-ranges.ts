import type { Schema, Sequence } from '../schema/schema.ts'

/**
 * The same schema with each sequence moved to a range of its own. No id of one table is then an id of
 * another, so a test that confuses them fails. A sequence keeps its position if its type is too narrow for a
 * range (smallint), if it counts down, or if it has already passed the start of its range.
 */
export function assignSequenceRanges(schema: Schema): Schema {
  const upward = schema.sequences.filter(({ increment }) => increment > 0n)
  const places = new Map(upward.map(({ id }, index) => [id, BigInt(index + 1)]))
  const slots = BigInt(upward.length + 1)
  return {
    ...schema,
    sequences: schema.sequences.map((sequence) => {
      const position = places.get(sequence.id)
      return position === undefined ? sequence : moved(sequence, position, slots)
    }),
  }
}

/** A round stride is easier to read in a failing test than the largest one: `3000017` is table 3, row 17. */
function moved(sequence: Sequence, position: bigint, slots: bigint): Sequence {
  const room = sequence.max / slots
  const stride = [1_000_000n, 100_000n, 10_000n].find((candidate) => candidate <= room)
  if (stride === undefined) return sequence
  const first = position * stride + 1n
  const { value, called } = sequence.position
  if (first <= value || first < sequence.min) return sequence
  // Keep `called`: some engines know only the last value handed out, others only the next one.
  return { ...sequence, position: { value: called ? first - sequence.increment : first, called } }
}
