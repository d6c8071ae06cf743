import { now } from '../util/clock.ts'

/**
 * Limits of one search for rows that afresh does not own. It runs once, at startup, and test servers are
 * small.
 */
const MOST_DATABASES = 200
const MOST_TABLES = 2_000
const LOOK_MS = 20_000

/** Lock timeout for one table in milliseconds: a locked table is in use. */
export const LOOK_LOCK_MS = 2_000

export interface ForeignRowsOptions {
  /** A database that was already checked. */
  readonly except?: string | undefined
}

/** The limits of one search. Each function returns the evidence once its limit is exceeded. */
export interface LookBudget {
  databases(count: number): string | undefined
  tables(count: number): string | undefined
  time(): string | undefined
  /** Remaining milliseconds, at least 1. */
  leftMs(): number
}

export function lookBudget(): LookBudget {
  const end = now() + LOOK_MS
  let tables = 0
  return {
    databases: (count) =>
      count > MOST_DATABASES
        ? `there are ${count} databases that afresh did not make, and at most ${MOST_DATABASES} are inspected`
        : undefined,
    tables: (count) => {
      tables += count
      return tables > MOST_TABLES
        ? `there are more than ${MOST_TABLES} tables in the databases that afresh did not make, and no more are inspected`
        : undefined
    },
    time: () =>
      now() > end ? `looking at every table took longer than ${LOOK_MS / 1000} seconds` : undefined,
    leftMs: () => Math.max(1, Math.ceil(end - now())),
  }
}

/** The search opens its own connections, and needs a URL for them. */
export const NO_URL = 'a client that was passed in shows only its own database, and a URL would show all'
