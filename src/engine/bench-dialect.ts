import type { Schema, TableId } from '../schema/schema.ts'
import type { Connection } from './connection.ts'

/** Tables of a benchmark case, the same on every engine: `t1`, `t2`, …, each with the same rows. */
export interface Shape {
  readonly tables: number
  /** In addition to the primary key; at most as many as `INDEXES`. */
  readonly indexes: number
  /**
   * Narrow: about 50 bytes a row. Wide: 1 kB. Off-page: 9 kB, stored outside the row's page except for the
   * key.
   */
  readonly width: 'narrow' | 'wide' | 'off-page'
  /** A foreign key to `t1` from another table of 1,000 rows, none of which references a row. */
  readonly incoming: Reference
  /** A foreign key from each row to one of 100 rows of another table. */
  readonly outgoing: Reference
  /** Each row has one child row in another table, deleted by ON DELETE CASCADE. */
  readonly children: boolean
  /** A row-level DELETE trigger that does nothing. */
  readonly trigger: boolean
  readonly logged: boolean
  /** Number of hash partitions by the primary key; 0 for a table that is not partitioned. */
  readonly partitions: number
}

/** A foreign key, with or without an index on the referencing column. */
export type Reference = 'none' | 'indexed' | 'unindexed'

/** How a benchmark empties a table. */
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

/** Methods that are a fixed list of statements. The others loop, or copy the database on the server. */
export type StatementMethod = Exclude<
  MethodId,
  'batch-100' | 'batch-1000' | 'batch-10000' | 'orm-100' | 'clone'
>

/** What benchmarks need of an engine whose databases are files. */
export interface FileBench {
  /** The URL of a file; `:memory:` is a database without one. */
  urlOf(path: string): string
  version(connection: Connection): Promise<string>
  /** How writes reach the disk. */
  settings(isDurable: boolean): {
    readonly sql: string
    /** For people, as a phrase. */
    readonly description: string
  }
}

/** The SQL that benchmarks need on an engine. */
export interface BenchDialect {
  /** Absent if the engine has servers. */
  readonly file?: FileBench
  /** Returns why this engine has no such tables, as a phrase; `undefined` if it has them. */
  lacks(shape: Shape): string | undefined
  /** Returns the statements that create the tables in an empty database. */
  create(shape: Shape): readonly string[]
  /**
   * Returns the statements that insert rows with the keys `from` to `to`, inclusive, into each table, in the
   * order of the key: in another order InnoDB splits pages, and the same rows take more than twice the space.
   * The server generates the rows.
   */
  fill(shape: Shape, from: number, to: number): readonly string[]
  /** Returns the statements that restore the initial state: no rows, no bloat, counters at their start. */
  renew(shape: Shape): readonly string[]
  /**
   * Returns the statements of a method, sent in one round trip; `undefined` if the engine lacks the method
   * for these tables.
   */
  empty(method: StatementMethod, shape: Shape): readonly string[] | undefined
  /**
   * Returns the version and the settings on which a time here depends, by the server's names, for display:
   * sizes of pools and logs, what is flushed and when, what runs in the background.
   */
  settings?(connection: Connection): Promise<Readonly<Record<string, string>>>
  /** Writes all changed pages to the files; absent if the server has no statement for it. */
  readonly checkpoint?: string
  /** Removes what deleted rows left behind; `undefined` if a background thread does that. */
  vacuum?(shape: Shape): readonly string[]
  /**
   * Returns whether what deleted rows left is gone from a server that removes it in the background. Absent if
   * it does not, or cannot say.
   */
  isPurged?(connection: Connection): Promise<boolean>
  /** Returns the position of the journal (WAL, redo log) in bytes; `undefined` if it cannot be read. */
  journal(connection: Connection): Promise<number | undefined>
  /** Returns the size on disk of all tables of the database, in bytes, indexes included. */
  bytes(connection: Connection): Promise<number>
  /**
   * Disables user triggers in a copy of a user's database, as a reset does.
   *
   * @param isUnchecked whether foreign keys are disabled
   * @returns per table, why its triggers cannot be disabled, as a phrase
   */
  silence(connection: Connection, schema: Schema, isUnchecked: boolean): Promise<ReadonlyMap<TableId, string>>
  /**
   * Executes the statements and returns the locks that they take on a table, by the server's names for them.
   * Empty if the server does not report locks.
   */
  locks(
    connection: Connection,
    other: Connection,
    statements: readonly string[],
    table: LockedTable,
  ): Promise<readonly string[]>
}

/** A table by its bare name, and as SQL: quoted, and qualified where necessary. */
export interface LockedTable {
  readonly name: string
  readonly sql: string
}

/** The columns that a case may index, in addition to `id`, `parent` and `label`. */
export const INDEXED = ['a', 'b', 'c', 'd', 'e'] as const
/** The columns of each index that a case may have, in the order in which they are added. */
export const INDEXES: readonly (readonly string[])[] = [
  ...INDEXED.map((column) => [column]),
  ['a', 'b'],
  ['b', 'c'],
  ['c', 'd'],
  ['d', 'e'],
  ['e', 'a'],
]
export const REFERRING_ROWS = 1000
export const REFERRED_ROWS = 100

/** SQL that is the same on every engine. */
export const ANYWHERE = {
  deleteRange: (table: string, from: number, to: number) =>
    `DELETE FROM ${table} WHERE id BETWEEN ${from} AND ${to}`,
  someKeys: (table: string, limit: number) => `SELECT id FROM ${table} LIMIT ${limit}`,
  deleteKeys: (table: string, keys: readonly number[]) =>
    `DELETE FROM ${table} WHERE id IN (${keys.join(', ')})`,
  /** The first write of the next test. */
  insertOne: `INSERT INTO t1 (a, label) VALUES (1, 'the first afterwards')`,
  /** A concurrent read by another session. */
  readOne: 'SELECT id FROM t1 LIMIT 1',
} as const

export function benchTables({ tables }: Shape): string[] {
  return Array.from({ length: tables }, (_, index) => `t${index + 1}`)
}
