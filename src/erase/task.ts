import { type Sql, withPlaceholders } from '../engine/bound-sql.ts'
import type { EraseSyntax, Rows, Statement } from '../engine/erase.ts'
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

export interface Task extends Statement {
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
  /** Instead: a list of the same columns, and which of its rows. */
  readonly list?: { readonly name: string; readonly after: number; readonly upTo: number }
}

export interface Mark {
  readonly column: string
  /** As SQL. */
  readonly value: Sql
  /** Whether the row is not marked yet. */
  isUnmarked(column: string): Sql
}

export function joinedTo(syntax: EraseSyntax, { table, from, on }: Rows): string {
  return `${from} ${syntax.join} ${syntax.table(table)} AS r ON ${on}`
}

export function selectionTask(sql: string, table: TableId): Task {
  return task('selection', [table], { sql, values: [] })
}

export function task(
  about: About,
  tables: readonly TableId[],
  { sql, values }: Pick<Statement, 'sql' | 'values'>,
  reads = false,
): Task {
  return { about, tables, sql, values, reads }
}

export function withValues({ placeholder }: EraseSyntax, sql: Sql): Pick<Statement, 'sql' | 'values'> {
  return { sql: withPlaceholders(sql, placeholder), values: sql.values }
}
