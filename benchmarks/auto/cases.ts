import type { Random } from '../../src/generate/random.ts'
import type { ServerEngine } from '../../src/server/server.ts'

/** A table, what a test wrote to it, and who resets it. */
export interface Case {
  readonly no: number
  readonly rows: number
  /** Secondary indexes, those of foreign keys aside. */
  readonly indexes: number
  /** Letters of a `text` column; 0 for a table that has none. */
  readonly letters: number
  /** Empty tables that refer to it. */
  readonly incoming: number
  /** Tables of ten rows that it refers to. */
  readonly outgoing: number
  /** Whether its key counts, so that the test has moved the counter. */
  readonly counts: boolean
  /** Whether whoever resets may switch constraints off. */
  readonly mayDisableChecks: boolean
}

const MOST_ROWS = 100_000

/** Where the two ways cross on every server that was looked at. */
const NEAR = { from: 30, to: 10_000 }

/** A test that writes more than so many letters to one table is left out, for want of time. */
const MOST_LETTERS = 5_000_000

/** As many cases, the same for the same seed: half of them from all sizes, half from where it is close. */
export function drawCases(random: Random, engine: ServerEngine, count: number): Case[] {
  return Array.from({ length: count }, (_, index): Case => {
    const isNear = index % 2 === 1
    const letters = random.pick([0, 0, 20, 200, 1000]) ?? 0
    const drawn = isNear ? logUniform(random, NEAR.from, NEAR.to) : logUniform(random, 1, MOST_ROWS)
    return {
      no: index + 1,
      rows: Math.min(drawn, Math.floor(MOST_LETTERS / Math.max(1, letters))),
      indexes: random.int(0, 5),
      letters,
      incoming: random.int(0, 3),
      outgoing: random.int(0, 2),
      counts: random.chance(0.5),
      // MySQL and MariaDB let everybody do it.
      mayDisableChecks: engine !== 'postgres' || random.chance(0.75),
    }
  })
}

function logUniform(random: Random, from: number, to: number): number {
  const share = random.int(0, 1_000_000) / 1_000_000
  return Math.round(from * (to / from) ** share)
}

/** `no. 17: 2,300 rows, 3 indexes, …` */
export function describeCase(benchCase: Case): string {
  const { no, rows, indexes, letters, incoming, outgoing, counts, mayDisableChecks } = benchCase
  return [
    `no. ${no}: ${rows.toLocaleString('en')} rows`,
    `${indexes} indexes`,
    letters === 0 ? 'narrow' : `a text of ${letters} letters`,
    `${incoming} tables refer to it`,
    `it refers to ${outgoing}`,
    counts ? 'a counter' : 'no counter',
    ...(mayDisableChecks ? [] : ['checks stay on']),
  ].join(', ')
}
