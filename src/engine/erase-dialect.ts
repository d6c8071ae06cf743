import type { Column, Table } from '../schema/schema.ts'
import type { Connection } from './connection.ts'
import type { Sql } from './sql/fragment.ts'

/** The rows of a table, called `r` here, that have a partner among the tables joined in `from`. */
export interface Rows {
  readonly table: Table
  readonly from: string
  readonly on: string
  /** Where one column of each decides: `on` is that the row's `own` is among `theirs`, as SQL. */
  readonly key?: {
    readonly own: string
    readonly theirs: string
    readonly referenced: { readonly table: Table; readonly column: string }
  }
}

export interface Statement {
  readonly sql: string
  readonly values: readonly unknown[]
  /** Its numbers are the columns of the one row that it returns; else how many rows it has changed. */
  readonly reads: boolean
  /** The same with one more condition on the rows, where it is of that kind. */
  readonly under?: ((condition: string) => string) | undefined
}

/** What tells a row of a table from all others. */
export interface Identity {
  /** As SQL, to be had from a row by `alias.column`. */
  readonly columns: readonly string[]
  /** No two rows have the same one, and there can be an index of them. */
  readonly isUnique: boolean
  /** No part of it is ever NULL. */
  readonly isFilled: boolean
  /** A column that is another one once the row was written: in a later transaction, it means the same row only with it. */
  readonly version?: string
}

/** A table of the session's own that holds which rows of a table go, and by which values others refer to them. */
export interface SelectionTable {
  readonly name: string
  /** The columns `c0`, `c1`, …, as SQL over a row that is called `r`. */
  readonly columns: readonly string[]
  /** From these its types come. */
  readonly from: Table
  /** How many of its first columns no two of its rows share; 0 where that does not matter. */
  readonly unique: number
  /** Whether it has a column `n` that counts its rows from 1, and stays until it is dropped. */
  readonly isList: boolean
}

/**
 * What statements know of each other. `snapshot`: all see the same rows, and what another session changes of them meanwhile
 * is a conflict. `locks`: what was read stays as it is. `none`: each stands by itself.
 */
export type Isolation = 'snapshot' | 'locks' | 'none'

export interface TransactionOptions {
  /** Whether it is committed; else everything is as before. */
  readonly keep: boolean
  /** Rows refer to each other in a cycle: what checks single rows has to wait. */
  readonly cyclic: boolean
  readonly isolation: Isolation
  /** The selections that it makes: they are gone afterwards. */
  readonly temporary: readonly string[]
  /** Sees the numbers of each statement; what it throws rolls everything back. */
  watch(index: number, numbers: readonly number[]): void
}

/** One session of the server for as long as an erase takes. Every transaction of it begins with the proof. */
export interface EraseSession {
  /** How several statements that belong together are kept from what others commit meanwhile. */
  isolation(attempt: number): Promise<'snapshot' | 'locks'>
  /** Runs the statements in one transaction. Where another session makes it fail, the error is a conflict. */
  transaction(statements: readonly Statement[], options: TransactionOptions): Promise<void>
  /** Sets what more than a bare statement needs. */
  prepare(): Promise<void>
  /** Makes a table of the database, and none where that would commit a transaction of the user's. */
  define(statement: Statement): Promise<void>
  /** Drops a table if nobody has written a row into it. */
  dropEmpty(table: string): Promise<void>
  /** Runs it by itself, in one round trip where there is no proof; returns how many rows it has changed. */
  alone(statement: Statement): Promise<number>
  /** Drops a selection that stays: it is the session's own, so that nothing has to be proven. */
  discard(selection: string): Promise<void>
}

/**
 * What fails unless the database is still afresh's to change: one SQL statement, or (where the engine runs in this process)
 * a function.
 */
export type Proof = string | (() => void) | ProofWithCondition

/** The same also as a condition, for a statement that is a transaction by itself; false never, but an error. */
export interface ProofWithCondition {
  readonly statement: string
  readonly condition: string
}

export interface SessionOptions {
  readonly lockTimeoutMs: number
  /** The first thing in every transaction. Its failure goes through as it is. */
  readonly proof: Proof | undefined
}

export interface Locking {
  /** What follows a `SELECT` of rows. */
  readonly suffix: string
  /** Around a FROM list: their number `n0`. */
  readonly count: { readonly before: string; readonly after: string }
  /** What comes first where rows are found by recursion, which locks none by itself. */
  before(tables: readonly Table[]): string | undefined
}

/** The server's clock. */
export interface Clock {
  readonly now: Date
  /** The time zone of the session, as the server calls it; `undefined` for UTC. */
  readonly zone: string | undefined
}

export type Zone = 'utc' | 'session'

/** The SQL of deleting selected rows, which differs from engine to engine in details only. */
export interface EraseDialect {
  ident(name: string): string
  /** The table without what inherits from it, for a FROM. */
  table(table: Table): string
  /** The table with what inherits from it. */
  tableWithInheritors(table: Table): string
  /** An inner join that is read from left to right, where the planner would do it otherwise. */
  readonly join: string
  /** Of the value in this place, counted from 1. */
  placeholder(index: number): string
  /** A value as the driver takes it; `undefined` for one that the engine has no like of. */
  bind(value: unknown): unknown
  /** Whether the operand is one of the values, none of which is NULL. */
  oneOf(operand: string, values: readonly unknown[]): Sql
  /** The same of several operands together. */
  oneOfRows(operands: readonly string[], rows: readonly (readonly unknown[])[]): Sql
  /** The most values in one statement. */
  readonly maxValues: number

  identity(table: Table): Identity
  /** Whether a copy of a column compares as the column itself does. */
  readonly copiesCompare: boolean
  /** Whether the two are the same, also where both are NULL. */
  nullSafeEquals(a: string, b: string): string
  /** An expression as exactly the type that this column of the table has, where the engine would not find it by itself. */
  cast(expression: string, table: Table, column: string): string

  /** Whether a statement may name a selection twice. */
  readonly canReferenceTempTableTwice: boolean
  selectionName(name: string): string
  create(selection: SelectionTable): readonly string[]
  /** The same with rows; its columns are called as the query calls them. */
  createAs(name: string, select: string): string
  /**
   * Leaves out what is there already, if `isUnique`; of that there is nothing in the number of rows, if no condition of the
   * user's is in the query (`isOurs`).
   */
  insert(selection: SelectionTable, select: string, isUnique: boolean, isUnfiltered?: boolean): string
  /** After the last insert: lets the planner know how much there is. */
  readonly analyze: ((selection: string) => string) | undefined
  drop(selection: string): string
  /**
   * What is set around a recursive query over keys that all have an index, where the planner would otherwise take it to be
   * worth reading a whole table once for each level.
   */
  readonly byIndex: { readonly before: string; readonly after: string } | undefined
  /** The same around a query for rows whose keys are in a list: it would read the whole table again for each batch. */
  readonly byKey: { readonly before: string; readonly after: string } | undefined

  delete(rows: Rows): string
  /** One statement for tables whose rows refer to each other; `undefined` where each has to have its own. */
  readonly deleteTogether: ((rows: readonly Rows[]) => string) | undefined
  /** What is set around the deletes of such tables. */
  readonly foreignKeyChecksOff: { readonly before: string; readonly after: string } | undefined
  /** Whether no key is checked at all where rows refer to each other in a cycle. */
  readonly checksNoCycle: boolean
  /** @param which of them, over a row that is called `r`; all of them without */
  update(rows: Rows, set: readonly (readonly [column: string, value: Sql | string])[], which?: Sql): Sql
  /** The default of a column, as SQL. */
  defaultOf(table: Table, column: string): string
  /** Rows that nobody else can write, or refer to, until the end of the transaction; absent where nobody else can anyway. */
  readonly locking: Locking | undefined
  /** Makes an empty table with the columns of another one, without its constraints. */
  createLike(table: Table, name: string): string
  /** How a column, and a date, are compared where the engine has no type for times. */
  readonly dates: { column(column: string): string; value(date: Date): string } | undefined
  clock(connection: Connection): Promise<Clock>
  /** Whether times in the column are points in time, whatever zone the session has. */
  hasZone(column: Column): boolean
  /** That the time in a column is before this one. @param zone what a column without one holds */
  isBefore(column: Column, time: Date, zone: Zone): string
  /** That the value is none that `isBefore` can read; absent where the column's type sees to it. */
  readonly isNoTime: ((column: Column) => string) | undefined
  /** The time in whole seconds, as CURRENT_TIMESTAMP would be. */
  timeOf(time: Date): string

  /**
   * @throws AfreshError `blocked` when another session held a lock for too long, `erase` for everything else that a
   * statement did not do
   */
  session<T>(
    connection: Connection,
    options: SessionOptions,
    body: (session: EraseSession) => Promise<T>,
  ): Promise<T>
}
