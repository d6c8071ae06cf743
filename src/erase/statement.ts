import type { EraseDialect, Rows, Statement } from '../engine/erase-dialect.ts'
import { concatenated, type Sql, withPlaceholders } from '../engine/sql/fragment.ts'
import type { Table, TableId } from '../schema/schema.ts'
import type { Link } from './plan.ts'

/** What a statement's numbers are about. */
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
  /** By number. */
  readonly tables: readonly TableId[]
  /** It finds rows by the condition. */
  readonly isFinding?: true
  /** The key that `refused` and `missed` rows refer by. */
  readonly link?: Link
}

/** How the rows of a target are found, in a table of its own or by a condition. */
export interface Target {
  readonly table: Table
  /** What the condition calls the table, where not by its own name: it was written for one that this inherits from. */
  readonly as?: string
  /** Each finds some of the rows. */
  readonly conditions: readonly Sql[]
  /** The conditions name the row's own identity, which a list holds: they need not be asked again. */
  readonly isByKey?: boolean
  /** Only rows whose identity is in a list, and which of its entries. */
  readonly list?: { readonly name: string; readonly after: number; readonly upTo: number }
}

export interface Mark {
  readonly column: string
  /** As SQL. */
  readonly value: Sql
  /** Whether the row is not marked yet. */
  isUnmarked(column: string): Sql
  /** The rows whose column says something else: whether they are marked is not known. */
  readonly isUnclear: ((column: string) => Sql) | undefined
  /** It was said what rows have that are not marked. */
  readonly isKnown: boolean
}

export function joinedTo(syntax: EraseDialect, { table, from, on }: Rows): string {
  return `${from} ${syntax.join} ${syntax.table(table)} AS r ON ${on}`
}

/** Rows that are counted, locked where others could change them before they go. */
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
