import { now } from '../util/clock.ts'
import type { Connection } from './connection.ts'
import type { MeasurementBudget } from './costs.ts'

/** What one connection writes, and what the other connection then runs, timed. */
export interface Turn {
  readonly written: string
  readonly timed: string
}

/** Fewer rounds are not representative. */
const LEAST_ROUNDS = 3

/**
 * Measures each turn in microseconds up to the answer, because part of the cost of TRUNCATE comes after the
 * COMMIT. The turns alternate, so that other load on the machine affects all of them equally. Returns the
 * lower quartile: noise inflates the median more the longer a turn takes, and the minimum may be an outlier.
 */
export async function quartilesOf<Name extends string>(
  turns: Readonly<Record<Name, Turn>>,
  { connection, writer, effort }: { connection: Connection; writer: Connection; effort: MeasurementBudget },
): Promise<Record<Name, number>> {
  const names = Object.keys(turns) as Name[]
  const times = new Map(names.map((name) => [name, [] as number[]]))
  const until = now() + effort.budgetMs
  for (let round = 0; round < effort.rounds; round++) {
    if (round >= LEAST_ROUNDS && now() > until) break
    for (const name of names) {
      await writer.query(turns[name].written)
      const began = now()
      await connection.query(turns[name].timed)
      times.get(name)?.push(1000 * (now() - began))
    }
  }
  const quartiles = names.map((name) => [name, lowerQuartile(times.get(name) ?? [])] as const)
  return Object.fromEntries(quartiles) as Record<Name, number>
}

function lowerQuartile(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 4)] ?? 0
}
