import { now } from '../util/clock.ts'
import type { Connection } from './connection.ts'
import type { MeasurementBudget } from './costs.ts'

/** What one connection writes, and what is timed on another one then. */
export interface Turn {
  readonly written: string
  readonly timed: string
}

/** Of fewer none means anything. */
const LEAST_ROUNDS = 3

/**
 * How long each takes, in microseconds, until the answer is there: some of what TRUNCATE costs comes after the COMMIT. All
 * take turns, so that what else the machine does hits all alike. The lower quartile counts: the middle is disturbed more
 * the longer something takes, and the least may be chance.
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
