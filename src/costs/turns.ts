import type { Effort } from '../engine/engine.ts'

/** Prepares something, and gives what is to be timed. */
export type Turn = () => Promise<() => Promise<unknown>>

/** Of fewer the one in the middle means nothing. */
const LEAST_ROUNDS = 3

/**
 * How long each takes, in microseconds. All take turns, so that what else the machine does hits all alike, and the time in
 * the middle counts: what disturbs the one way now and then will disturb it in a reset.
 */
export async function mediansOf<Name extends string>(
  turns: Readonly<Record<Name, Turn>>,
  { rounds, budgetMs }: Effort,
): Promise<Record<Name, number>> {
  const names = Object.keys(turns) as Name[]
  const times = new Map(names.map((name) => [name, [] as number[]]))
  const until = performance.now() + budgetMs
  // What happens for the first time takes longer.
  for (let round = 0; round <= rounds; round++) {
    if (round > LEAST_ROUNDS && performance.now() > until) break
    for (const name of names) {
      const timed = await turns[name]()
      const began = performance.now()
      await timed()
      if (round > 0) times.get(name)?.push(1000 * (performance.now() - began))
    }
  }
  const medians = names.map((name) => [name, middleOf(times.get(name) ?? [])] as const)
  return Object.fromEntries(medians) as Record<Name, number>
}

function middleOf(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2
}
