import type { EraseDialect, Rows, Statement } from '../engine/erase-dialect.ts'
import { concatenated, type Sql, withPlaceholders } from '../engine/sql/fragment.ts'
import type { Table, TableId } from '../schema/schema.ts'
import type { Link } from './plan.ts'

/** What the numbers of a statement count. */
export type About =
  | 'selection'
  | 'count'
  | 'archived'
  | 'changed'
  | 'deleted'
  | 'marked'
  | 'refused'
  | 'missed'
  | 'dangling'
  | 'unclear'

export interface EraseStatement extends Statement {
  readonly about: About
  /** The table of each count, in the same order. */
  readonly tables: readonly TableId[]
  /** Whether it finds rows by the condition. */
  readonly isFinding?: true
  /** The foreign key of `refused` and `missed` rows, or the one whose default is `dangling`. */
  readonly link?: Link
}

/** How the rows of a target are found. */
export interface Target {
  readonly table: Table
  /** The table's name in the condition, if that was written for a table that this one inherits from. */
  readonly as?: string
  /** Each finds a part of the rows. */
  readonly conditions: readonly Sql[]
  /** The conditions compare the row's identity, which a list stores, so they are not evaluated again. */
  readonly isByKey?: boolean
  /** Only rows whose identity is in these entries of a list. */
  readonly list?: { readonly name: string; readonly after: number; readonly upTo: number }
}

export interface Mark {
  readonly column: string
  readonly value: Sql
  /** Condition: the row is not marked yet. */
  isUnmarked(column: string): Sql
  /** Condition: the row has another value, which may or may not be a mark. */
  readonly isUnclear: ((column: string) => Sql) | undefined
  /** Whether the value of an unmarked row is known. */
  readonly isKnown: boolean
}

export function joinedTo(syntax: EraseDialect, { table, from, on }: Rows): string {
  return `${from} ${syntax.join} ${syntax.table(table)} AS r ON ${on}`
}

/** Counts rows, and locks them if other sessions could change them before they are deleted. */
export function countOf(
  syntax: EraseDialect,
  from: Sql | string,
  locks: boolean,
): Pick<Statement, 'sql' | 'values'> {
  const plain = { before: 'SELECT count(*) AS n0 FROM ', after: '' }
  const { before, after } = (locks ? syntax.locking?.count : undefined) ?? plain
  return withValues(syntax, concatenated([before, from, after]))
}

export function selectionStatement(sql: string, table: TableId): EraseStatement {
  return eraseStatement('selection', [table], { sql, values: [] })
}

export function eraseStatement(
  about: About,
  tables: readonly TableId[],
  { sql, values }: Pick<Statement, 'sql' | 'values'>,
  reads = false,
): EraseStatement {
  return { about, tables, sql, values, reads }
}

export function withValues({ placeholder }: EraseDialect, sql: Sql): Pick<Statement, 'sql' | 'values'> {
  return { sql: withPlaceholders(sql, placeholder), values: sql.values }
}
