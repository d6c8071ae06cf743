import type { Shape } from '../engine/bench-dialect.ts'

/** Where a server stores its data: in memory or on a disk with durability off, or as in production. */
export type Storage = 'memory' | 'disk' | 'durable'

/** One column of the matrix: the base case, or the base case with one change. */
export interface Case {
  /** `base`, `indexes=5` */
  readonly id: string
  /** What is varied, for display; empty for the base case. */
  readonly factor: string
  readonly label: string
  readonly shape: Shape
  readonly storage: Storage
  /** Connections that read the table continuously. */
  readonly readers: number
  /** Databases with such tables that are emptied at the same time, each by its own connection. */
  readonly workers: number
  /** What the tables went through before the rows were written that a method removes. */
  readonly past: Past
}

/**
 * `used`: the same rows were written and deleted, and nobody tidied up. `tidied`: the server did (VACUUM,
 * InnoDB's purge). `checkpoint`: the rows themselves are older than a checkpoint.
 */
export type Past = 'none' | 'used' | 'tidied' | 'checkpoint'

const BASE: Shape = {
  tables: 1,
  indexes: 1,
  width: 'narrow',
  incoming: 'none',
  outgoing: 'none',
  children: false,
  trigger: false,
  logged: true,
  partitions: 0,
}

const base: Case = {
  id: 'base',
  factor: '',
  label: 'one table, one index besides the key, rows of 50 bytes',
  shape: BASE,
  storage: 'memory',
  readers: 0,
  workers: 1,
  past: 'none',
}

function varied(
  id: string,
  factor: string,
  label: string,
  shape: Partial<Shape>,
  rest?: Partial<Case>,
): Case {
  return { ...base, id, factor, label, shape: { ...BASE, ...shape }, ...rest }
}

/** The base case first. */
export const CASES: readonly Case[] = [
  base,
  varied('indexes=0', 'indexes', 'no index but the key', { indexes: 0 }),
  varied('indexes=5', 'indexes', '5 indexes', { indexes: 5 }),
  varied('indexes=10', 'indexes', '10 indexes', { indexes: 10 }),
  varied('width=1kB', 'row width', 'rows of 1 kB', { width: 'wide' }),
  varied('width=off-page', 'row width', 'rows of 9 kB, kept off the page', { width: 'off-page' }),
  varied('incoming=indexed', 'foreign keys', 'another table refers to it, by an indexed column', {
    incoming: 'indexed',
  }),
  varied('incoming=unindexed', 'foreign keys', 'another table refers to it, by a column without index', {
    incoming: 'unindexed',
  }),
  varied('outgoing=indexed', 'foreign keys', 'it refers to another table, by an indexed column', {
    outgoing: 'indexed',
  }),
  varied('outgoing=unindexed', 'foreign keys', 'it refers to another table, by a column without index', {
    outgoing: 'unindexed',
  }),
  varied('children', 'foreign keys', 'ON DELETE CASCADE takes a row of another table along', {
    children: true,
  }),
  varied('trigger', 'triggers', 'a trigger for each row', { trigger: true }),
  varied('unlogged', 'journal', 'an unlogged table', { logged: false }),
  varied('partitions=10', 'partitions', '10 partitions', { partitions: 10 }),
  varied('each-of=10', 'tables', '10 tables, each with these rows', { tables: 10 }),
  varied('each-of=100', 'tables', '100 tables, each with these rows', { tables: 100 }),
  varied('each-of=1000', 'tables', '1,000 tables, each with these rows', { tables: 1000 }),
  varied('workers=8', 'workers', '8 databases at once, each with such a table', {}, { workers: 8 }),
  varied('workers=32', 'workers', '32 databases at once, each with such a table', {}, { workers: 32 }),
  varied('used', 'bloat', 'the same rows were deleted before, and not tidied up', {}, { past: 'used' }),
  varied('tidied', 'bloat', 'the same rows were deleted before, and tidied up', {}, { past: 'tidied' }),
  varied('readers=4', 'readers', '4 connections read it all the time', {}, { readers: 4 }),
  varied('disk', 'storage', 'files on a disk, durability off', {}, { storage: 'disk' }),
  varied('durable', 'storage', 'files on a disk, durability on', {}, { storage: 'durable' }),
  varied(
    'durable-old',
    'storage',
    'files on a disk, durability on, rows older than a checkpoint',
    {},
    { storage: 'durable', past: 'checkpoint' },
  ),
]

/** The factor of cases that are tables of the user. */
export const OWN_FACTOR = 'table'

/** The case with this id. Throws if there is none, which is a programming error. */
export function caseOf(id: string): Case {
  const found = CASES.find((candidate) => candidate.id === id)
  if (found === undefined) throw new Error(`no case is called ${id}`)
  return found
}

/** All rows that the tables of a case have together. */
export function allRows({ shape, workers }: Pick<Case, 'shape' | 'workers'>, rows: number): number {
  return rows * shape.tables * workers
}

/** Estimated bytes per row, including indexes. Used to decide whether the rows fit. */
export function rowBytes({ width, indexes, children }: Shape): number {
  const row = { narrow: 70, wide: 1100, 'off-page': 10_000 }[width]
  return row + 25 * (1 + indexes) + (children ? 70 : 0)
}
