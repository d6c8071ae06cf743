import type { Table } from '../schema/schema.ts'
import type { Sql } from './bound-sql.ts'
import type { Connection } from './engine.ts'

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

export interface TransactionOptions {
  /** Whether it is committed; else everything is as before. */
  readonly keep: boolean
  /** Rows refer to each other in a cycle: what checks single rows has to wait. */
  readonly cyclic: boolean
  /** The selections that it makes: they are gone afterwards. */
  readonly temporary: readonly string[]
  /** Sees the numbers of each statement; what it throws rolls everything back. */
  watch(place: number, numbers: readonly number[]): void
}

/** One session of the server for as long as an erase takes. */
export interface EraseSession {
  /** Runs the statements in one transaction. */
  transaction(statements: readonly Statement[], options: TransactionOptions): Promise<void>
  /** Sets what more than a bare statement needs. */
  prepare(): Promise<void>
  /** Makes a table of the database, and none where that would commit a transaction of the user's. */
  define(statement: Statement): Promise<void>
  /** Drops a table if nobody has written a row into it. */
  dropEmpty(table: string): Promise<void>
  /** Runs it by itself, in one round trip; returns how many rows it has changed. */
  alone(statement: Statement): Promise<number>
}

/** The SQL of deleting selected rows, which differs from engine to engine in details only. */
export interface EraseSyntax {
  ident(name: string): string
  /** The table without what inherits from it, for a FROM. */
  table(table: Table): string
  /** The table with what inherits from it. */
  family(table: Table): string
  /** An inner join that is read from left to right, where the planner would do it otherwise. */
  readonly join: string
  /** Of the value in this place, counted from 1. */
  placeholder(place: number): string
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
  same(a: string, b: string): string
  /** An expression as exactly the type that this column of the table has, where the engine would not find it by itself. */
  typed(expression: string, table: Table, column: string): string

  /** Whether a statement may name a selection twice. */
  readonly reopens: boolean
  selectionName(place: string): string
  create(selection: SelectionTable): readonly string[]
  /** The same with rows; its columns are called as the query calls them. */
  createAs(name: string, select: string): string
  /**
   * Leaves out what is there already, if `isUnique`; of that there is nothing in the number of rows, if no condition of the
   * user's is in the query (`isOurs`).
   */
  insert(selection: SelectionTable, select: string, isUnique: boolean, isOurs?: boolean): string
  /** After the last insert: lets the planner know how much there is. */
  readonly filled: ((selection: string) => string) | undefined
  drop(selection: string): string
  /**
   * What is set around a recursive query over keys that all have an index, where the planner would otherwise take it to be
   * worth reading a whole table once for each level.
   */
  readonly byIndex: { readonly before: string; readonly after: string } | undefined

  delete(rows: Rows): string
  /** One statement for tables whose rows refer to each other; `undefined` where each has to have its own. */
  readonly deleteTogether: ((rows: readonly Rows[]) => string) | undefined
  /** What is set around the deletes of such tables. */
  readonly unchecked: { readonly before: string; readonly after: string } | undefined
  /** Whether no key is checked at all where rows refer to each other in a cycle. */
  readonly checksNoCycle: boolean
  /** @param which of them, over a row that is called `r`; all of them without */
  update(rows: Rows, set: readonly (readonly [column: string, value: Sql | string])[], which?: Sql): Sql
  /** The default of a column, as SQL. */
  defaultOf(table: Table, column: string): string
  /** `SELECT` of rows that nobody else can write until the end of the transaction; absent where it need not be asked. */
  readonly locked: ((select: string) => string) | undefined
  /** Makes an empty table with the columns of another one, without its constraints. */
  twin(table: Table, name: string): string
  /** That the time in a column is more than so many milliseconds ago, by the server's clock. */
  isOlder(column: string, milliseconds: number): string

  /**
   * @throws AfreshError `blocked` when another session held a lock for too long, `erase` for everything else that a
   * statement did not do
   */
  session<T>(
    connection: Connection,
    options: { readonly lockTimeoutMs: number },
    body: (session: EraseSession) => Promise<T>,
  ): Promise<T>
}
