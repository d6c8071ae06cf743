import type { Schema, Sequence } from '../schema/schema.ts'

/**
 * The same schema with every sequence moved to a range of its own, so that an id of one table is no id of
 * another and a test that mixes them up fails. Sequences whose type is too narrow for a range (smallint),
 * or that count down or have given out more than their share already, keep their position.
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
  // Said in the same way as before: some engines know only what was handed out, others only what comes next.
  return { ...sequence, position: { value: called ? first - sequence.increment : first, called } }
}
