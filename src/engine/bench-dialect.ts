import type { Schema, TableId } from '../schema/schema.ts'
import type { Connection } from './connection.ts'

/** The tables of a measurement, whichever engine makes them: `t1`, `t2`, … share the rows evenly. */
export interface Shape {
  readonly tables: number
  /** Besides the primary key. */
  readonly indexes: number
  /** About 50 bytes a row, 1 kB, or 9 kB of which all but the key is kept off the row's page. */
  readonly width: 'narrow' | 'wide' | 'off-page'
  /** Whether another table of 1,000 rows refers to `t1`. None of its rows refers to a row. */
  readonly incoming: Reference
  /** Whether each row refers to one of 100 rows of another table. */
  readonly outgoing: Reference
  /** Each row has one in another table, which ON DELETE CASCADE takes along. */
  readonly children: boolean
  /** A trigger that does nothing, for each row that is deleted. */
  readonly trigger: boolean
  readonly logged: boolean
  /** By the key's hash; 0 for a table that is not partitioned. */
  readonly partitions: number
}

/** A foreign key, with or without an index on the column that refers. */
export type Reference = 'none' | 'indexed' | 'unindexed'

/** How a table is emptied. */
export type MethodId =
  | 'delete'
  | 'delete-restart'
  | 'delete-rows'
  | 'truncate'
  | 'truncate-restart'
  | 'truncate-cascade'
  | 'batch-100'
  | 'batch-1000'
  | 'batch-10000'
  | 'orm-100'
  | 'drop-create'
  | 'swap'
  | 'clone'

/** The ways that are a fixed list of statements. The others are loops, or need the server. */
export type StatementWay = Exclude<MethodId, 'batch-100' | 'batch-1000' | 'batch-10000' | 'orm-100' | 'clone'>

/** The SQL of measurements: what an engine needs so that emptying tables can be measured on it. */
export interface BenchDialect {
  /** Why this engine has no such tables, as a phrase for people; `undefined` where it has. */
  lacks(shape: Shape): string | undefined
  /** Makes the tables in an empty database. */
  create(shape: Shape): readonly string[]
  /** Adds rows to each of the tables, made on the server. Keys count from `from` to `to`, both included. */
  fill(shape: Shape, from: number, to: number): readonly string[]
  /** The tables as new: no rows, no bloat, counters at their start. */
  renew(shape: Shape): readonly string[]
  /** In one round trip; `undefined` where the engine has no such way for these tables. */
  empty(way: StatementWay, shape: Shape): readonly string[] | undefined
  /** How far the journal (WAL, redo log) has come, in bytes; `undefined` where nobody can tell. */
  journal(connection: Connection): Promise<number | undefined>
  /** What all tables of the database take in files, indexes included. */
  bytes(connection: Connection): Promise<number>
  /**
   * In a copy: what people have put on tables neither vetoes nor reacts any more, as in a reset.
   *
   * @param isUnchecked whether foreign keys are off
   * @returns by table: why that could not be, as a phrase for people
   */
  silence(connection: Connection, schema: Schema, isUnchecked: boolean): Promise<ReadonlyMap<TableId, string>>
  /**
   * The locks that these statements take on a table, by the server's own names: they are carried out. None where the
   * server does not tell.
   */
  locks(
    connection: Connection,
    other: Connection,
    statements: readonly string[],
    table: LockedTable,
  ): Promise<readonly string[]>
}

/** A table by its name alone, and as SQL has it: quoted, and qualified where need be. */
export interface LockedTable {
  readonly name: string
  readonly sql: string
}

/** The columns that may have an index, besides `id`, `parent` and `label`. */
export const INDEXED = ['a', 'b', 'c', 'd', 'e'] as const
export const REFERRING_ROWS = 1000
export const REFERRED_ROWS = 100

/** What is the same SQL everywhere. */
export const ANYWHERE = {
  deleteRange: (table: string, from: number, to: number) =>
    `DELETE FROM ${table} WHERE id BETWEEN ${from} AND ${to}`,
  someKeys: (table: string, limit: number) => `SELECT id FROM ${table} LIMIT ${limit}`,
  deleteKeys: (table: string, keys: readonly number[]) =>
    `DELETE FROM ${table} WHERE id IN (${keys.join(', ')})`,
  /** As the next test would write it first. */
  insertOne: `INSERT INTO t1 (a, label) VALUES (1, 'the first afterwards')`,
  /** What somebody else may be doing meanwhile. */
  readOne: 'SELECT id FROM t1 LIMIT 1',
} as const

/** `t1` … */
export function benchTables({ tables }: Shape): string[] {
  return Array.from({ length: tables }, (_, index) => `t${index + 1}`)
}
