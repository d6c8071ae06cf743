/**
 * In: the statements of a copy. Out: messages, each for one round trip of one of several sessions. Pure.
 * Called by `clone.ts`.
 */
import type { RowsCopy } from './copy-source.ts'

/** Well below the smallest `max_allowed_packet` that is a default: 16 MB on MariaDB. */
const MESSAGE_CHARACTERS = 1_000_000
/** The session that finishes first takes the work that is left. */
const MESSAGES_PER_SESSION = 2
const MESSAGE_BYTES = 1_000_000

/**
 * Statements whose neighbours in the list depend on each other: in few, long messages, because sessions that
 * create a parent and its child wait for each other.
 */
export function neighboursTogether(statements: readonly string[], sessions: number): string[][] {
  const most = mostIn(statements, sessions)
  return grouped(statements, (group, next) => {
    const characters = group.reduce((sum, { length }) => sum + length, next.length)
    return group.length < most && characters <= MESSAGE_CHARACTERS
  })
}

/** Copies of rows, which are independent of each other: a large table has a message of its own. */
export function largestFirst(copies: readonly RowsCopy[], sessions: number): string[][] {
  const most = mostIn(copies, sessions)
  const sorted = copies.toSorted((a, b) => b.bytes - a.bytes)
  return grouped(sorted, (group, next) => {
    const bytes = group.reduce((sum, copy) => sum + copy.bytes, next.bytes)
    return group.length < most && bytes <= MESSAGE_BYTES
  }).map((group) => group.map(({ sql }) => sql))
}

function mostIn({ length }: readonly unknown[], sessions: number): number {
  return sessions === 1 ? length : Math.ceil(length / (sessions * MESSAGES_PER_SESSION))
}

function grouped<T>(items: readonly T[], fits: (group: readonly T[], next: T) => boolean): T[][] {
  const groups: T[][] = []
  for (const item of items) {
    const last = groups.at(-1)
    if (last !== undefined && fits(last, item)) last.push(item)
    else groups.push([item])
  }
  return groups
}
