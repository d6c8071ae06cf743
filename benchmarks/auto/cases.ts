import type { Random } from '../../src/generate/random.ts'
import type { ServerEngine } from '../../src/server/server.ts'

/** A table, what a test writes to it, and the privileges of the role that resets it. */
export interface Case {
  readonly no: number
  readonly rows: number
  /** Secondary indexes, not counting those of foreign keys. */
  readonly indexes: number
  /** Length of the values of a `text` column; 0 for a table without that column. */
  readonly letters: number
  /** Number of empty tables that refer to it. */
  readonly incoming: number
  /** Number of tables with ten rows each that it refers to. */
  readonly outgoing: number
  /** Whether its key has a counter, which the test moves. */
  readonly counts: boolean
  /** Whether the role may disable constraints. */
  readonly mayDisableChecks: boolean
}

const MOST_ROWS = 100_000

/** The range of row counts in which DELETE and TRUNCATE cross on every server measured so far. */
const NEAR = { from: 30, to: 10_000 }

/** Omits tests that would write more letters than this to one table, to save time. */
const MOST_LETTERS = 5_000_000

/**
 * Draws `count` cases, the same for the same seed: half of them from all sizes, half from the range near the
 * crossover.
 */
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
      // MySQL and MariaDB allow it to every user.
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
