import type { Column, Table } from '../schema/schema.ts'
import type { Connection } from './connection.ts'
import type { Sql } from './sql/fragment.ts'

/** The rows of a table, aliased `r`, that match a row of the tables joined in `from`. */
export interface Rows {
  readonly table: Table
  readonly from: string
  readonly on: string
  /**
   * Present if one column of each side decides. `on` then means that the row's `own` is among `theirs`, as
   * SQL.
   */
  readonly key?: {
    readonly own: string
    readonly theirs: string
    readonly referenced: { readonly table: Table; readonly column: string }
  }
}

export interface Statement {
  readonly sql: string
  readonly values: readonly unknown[]
  /**
   * Whether the statement returns one row, whose columns are its numbers; otherwise its number is its row
   * count.
   */
  readonly reads: boolean
  /** The same statement with one more condition on the rows, if the statement supports that. */
  readonly under?: ((condition: string) => string) | undefined
}

/** What identifies a row of a table. */
export interface Identity {
  /** As SQL, selected from a row by `alias.column`. */
  readonly columns: readonly string[]
  /** Identities are unique and can be indexed. */
  readonly isUnique: boolean
  /** No part of the identity is ever NULL. */
  readonly isFilled: boolean
  /**
   * A column that changes whenever the row is written. In a later transaction, only both together identify
   * the same row.
   */
  readonly version?: string
}

/** A session-private table of the rows to delete, and of the values by which other rows reference them. */
export interface SelectionTable {
  readonly name: string
  /** The columns `c0`, `c1`, …, as SQL expressions over a row aliased `r`. */
  readonly columns: readonly string[]
  /** The table that its column types come from. */
  readonly from: Table
  /** How many of its first columns are unique together; 0 if duplicates do not matter. */
  readonly unique: number
  /** Whether it has a column `n` that numbers its rows from 1, and lives until it is dropped. */
  readonly isList: boolean
}

/**
 * What the statements of a transaction see of each other. `snapshot`: all see the same rows, and a concurrent
 * change of them is a conflict. `locks`: rows that were read cannot change. `none`: each statement is
 * independent.
 */
export type Isolation = 'snapshot' | 'locks' | 'none'

export interface TransactionOptions {
  /** Whether to commit; otherwise the transaction is rolled back. */
  readonly keep: boolean
  /** Rows reference each other in a cycle, so that checks of single rows must be deferred. */
  readonly cyclic: boolean
  readonly isolation: Isolation
  /** The selections that the transaction creates. They do not outlive it. */
  readonly temporary: readonly string[]
  /** Receives the numbers of each statement; an exception rolls everything back. */
  watch(index: number, numbers: readonly number[]): void
}

/** One session of the server for the duration of an erase. Each of its transactions begins with the proof. */
export interface EraseSession {
  /** Returns how a transaction of several statements is isolated from concurrent commits. */
  isolation(attempt: number): Promise<'snapshot' | 'locks'>
  /** Runs the statements in one transaction. If another session makes it fail, the error is a conflict. */
  transaction(statements: readonly Statement[], options: TransactionOptions): Promise<void>
  /** Changes the settings that only transactions of several statements need. */
  prepare(): Promise<void>
  /** Creates a table in the database; refuses if that would commit a user's transaction. */
  define(statement: Statement): Promise<void>
  /** Drops a table unless it contains rows. */
  dropEmpty(table: string): Promise<void>
  /**
   * Runs a statement as its own transaction, in one round trip if there is no proof. Returns how many rows it
   * changed.
   */
  alone(statement: Statement): Promise<number>
  /** Drops a selection that outlives a transaction. The session owns it, so no proof is needed. */
  discard(selection: string): Promise<void>
}

/**
 * Fails unless afresh may still change the database: one SQL statement or, for an engine that runs in this
 * process, a function.
 */
export type Proof = string | (() => void) | ProofWithCondition

/**
 * The proof also as a condition, for a statement that is its own transaction. The condition never yields
 * false; it raises an error.
 */
export interface ProofWithCondition {
  readonly statement: string
  readonly condition: string
}

export interface SessionOptions {
  readonly lockTimeoutMs: number
  /** Runs first in every transaction. Its error is passed on unchanged. */
  readonly proof: Proof | undefined
}

export interface Locking {
  /** The clause that follows a `SELECT` of rows. */
  readonly suffix: string
  /** Wraps a FROM list into a query for its number of rows, `n0`. */
  readonly count: { readonly before: string; readonly after: string }
  /**
   * The statement that comes first when a recursive query finds the rows, since a recursive query locks none
   * itself.
   */
  before(tables: readonly Table[]): string | undefined
}

export interface Clock {
  readonly now: Date
  /** The server's name for the time zone of the session; `undefined` for UTC. */
  readonly zone: string | undefined
}

export type Zone = 'utc' | 'session'

/** The SQL for deleting selected rows, where engines differ in details only. */
export interface EraseDialect {
  ident(name: string): string
  /** The table without its inheritors, for a FROM clause. */
  table(table: Table): string
  tableWithInheritors(table: Table): string
  /** An inner join that is evaluated from left to right, on engines whose planner would reorder it. */
  readonly join: string
  /** The placeholder of the value at this position, counted from 1. */
  placeholder(index: number): string
  /** Converts a value for the driver; `undefined` if the engine has no equivalent. */
  bind(value: unknown): unknown
  /** A condition: the operand is one of the values, none of which is NULL. */
  oneOf(operand: string, values: readonly unknown[]): Sql
  /** The same condition for several operands together. */
  oneOfRows(operands: readonly string[], rows: readonly (readonly unknown[])[]): Sql
  /** The maximum number of values in one statement. */
  readonly maxValues: number

  identity(table: Table): Identity
  /** Whether copying a column preserves how it compares. */
  readonly copiesCompare: boolean
  /** A comparison in which two NULLs are equal. */
  nullSafeEquals(a: string, b: string): string
  /** Casts an expression to the exact type of this column, if the engine would not infer it. */
  cast(expression: string, table: Table, column: string): string

  /** Whether one statement may reference a selection twice. */
  readonly canReferenceTempTableTwice: boolean
  selectionName(name: string): string
  create(selection: SelectionTable): readonly string[]
  /** Creates a selection from a query; its columns take the names of the query's columns. */
  createAs(name: string, select: string): string
  /**
   * Inserts rows into a selection. `isUnique` skips rows that it contains already; the row count is certain
   * to exclude them only with `isUnfiltered`, for queries without a condition of the user's.
   */
  insert(selection: SelectionTable, select: string, isUnique: boolean, isUnfiltered?: boolean): string
  /** Runs after the last insert, to give the planner the row count. */
  readonly analyze: ((selection: string) => string) | undefined
  drop(selection: string): string
  /**
   * Settings around a recursive query over keys that are all indexed, on engines whose planner would
   * otherwise prefer a full table scan per level.
   */
  readonly byIndex: { readonly before: string; readonly after: string } | undefined
  /**
   * Settings around a query for rows whose keys are in a list, which would otherwise scan the whole table for
   * each batch.
   */
  readonly byKey: { readonly before: string; readonly after: string } | undefined

  delete(rows: Rows): string
  /** One statement for tables whose rows reference each other; `undefined` if each table needs its own. */
  readonly deleteTogether: ((rows: readonly Rows[]) => string) | undefined
  /** Settings around the deletes of such tables. */
  readonly foreignKeyChecksOff: { readonly before: string; readonly after: string } | undefined
  /** Whether foreign keys are not checked at all while rows reference each other in a cycle. */
  readonly checksNoCycle: boolean
  /** @param which selects some of the rows, over a row aliased `r`; all of them if omitted */
  update(rows: Rows, set: readonly (readonly [column: string, value: Sql | string])[], which?: Sql): Sql
  /** The default of a column, as SQL. */
  defaultOf(table: Table, column: string): string
  /**
   * Prevents other sessions from writing or referencing the rows until the end of the transaction; absent if
   * there are no other writers.
   */
  readonly locking: Locking | undefined
  /** Creates an empty table with the columns of another table, without its constraints. */
  createLike(table: Table, name: string): string
  /** Expressions that compare a column and a date, on engines without a date type. */
  readonly dates: { column(column: string): string; value(date: Date): string } | undefined
  /** What the name belongs to, such as `a view`; `undefined` for a table, and for a name that nothing has. */
  kindOf(connection: Connection, name: string): Promise<string | undefined>
  clock(connection: Connection): Promise<Clock>
  /** Whether the column stores points in time, independent of the session's time zone. */
  hasZone(column: Column): boolean
  /** Whether the column's type stores points in time or days, or text that `isNoTime` examines. */
  isTime(column: Column): boolean
  /** A condition: the column's time, or the whole of its day, is earlier. @param zone the time zone of columns that store none */
  isBefore(column: Column, time: Date, zone: Zone): string
  /** A condition: `isBefore` cannot read the value as a time; absent if the type ensures that it can. */
  readonly isNoTime: ((column: Column) => string) | undefined
  /** The time in whole seconds, in the format of CURRENT_TIMESTAMP. */
  timeOf(time: Date): string

  /**
   * @throws AfreshError `blocked` when another session held a lock for too long, `erase` for all other
   * failures of a statement
   */
  session<T>(
    connection: Connection,
    options: SessionOptions,
    body: (session: EraseSession) => Promise<T>,
  ): Promise<T>
}
