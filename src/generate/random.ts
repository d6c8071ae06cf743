/** Pseudo-random numbers, reproducible by seed. */
export interface Random {
  /** An integer from `min` to `max`, inclusive. */
  int(min: number, max: number): number
  pick<T>(items: readonly T[]): T | undefined
  /** `true` with this probability. */
  chance(share: number): boolean
}

/** Mulberry32, by Tommy Ettinger: short, and good enough for generated rows. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const int = (min: number, max: number) => min + Math.floor(next() * (max - min + 1))
  return {
    int,
    pick: (items) => items[int(0, items.length - 1)],
    chance: (share) => next() < share,
  }
}

/** The items in a random order. */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items]
  for (let last = result.length - 1; last > 0; last--) {
    const other = random.int(0, last)
    const [a, b] = [result[last] as T, result[other] as T]
    result[last] = b
    result[other] = a
  }
  return result
}
