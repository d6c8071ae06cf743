import { now } from '../util/clock.ts'

/** What a look for rows that are not afresh's own may take: it is one at the start, and a server for tests is small. */
const MOST_DATABASES = 200
const MOST_TABLES = 2_000
const LOOK_MS = 20_000

/** How long one table may keep a look waiting: whoever locks a table uses it. */
export const LOOK_LOCK_MS = 2_000

export interface ForeignRowsOptions {
  /** A database that has been judged already. */
  readonly except?: string | undefined
}

/** The bounds of one look. Each function returns the evidence once its bound is passed. */
export interface LookBudget {
  databases(count: number): string | undefined
  tables(count: number): string | undefined
  time(): string | undefined
  /** Milliseconds left, at least one. */
  leftMs(): number
}

export function lookBudget(): LookBudget {
  const end = now() + LOOK_MS
  let tables = 0
  return {
    databases: (count) =>
      count > MOST_DATABASES
        ? `there are ${count} databases that afresh did not make, and at most ${MOST_DATABASES} are looked at`
        : undefined,
    tables: (count) => {
      tables += count
      return tables > MOST_TABLES
        ? `there are more than ${MOST_TABLES} tables in the databases that afresh did not make, and no more are looked at`
        : undefined
    },
    time: () =>
      now() > end ? `looking at every table took longer than ${LOOK_MS / 1000} seconds` : undefined,
    leftMs: () => Math.max(1, Math.ceil(end - now())),
  }
}

/** Only a URL leads to a connection of afresh's own, and that is what looks. */
export const NO_URL = 'a client that was passed in shows only its own database, and a URL would show all'
