import type { Column, Schema, Sequence, TableId } from '../schema/schema.ts'
import type { Connection } from './connection.ts'

/** SQL for statements on single rows, and the constraints on their values. */
export interface RowDialect {
  /** Per table, in column order. */
  facts(connection: Connection, schema: Schema): Promise<ReadonlyMap<TableId, readonly ColumnFacts[]>>
  ident(name: string): string
  literal(text: string): string
  qualified(table: { readonly schema: string; readonly name: string }): string
  /** An expression for the value as text that can be written back. */
  asText(expression: string): string
  /** An expression that advances a sequence that no column owns. */
  draw(sequence: Sequence): string
  /**
   * Per table, the columns of each of its unique indexes, as far as the server reports them; no entry is
   * empty.
   */
  uniques(
    connection: Connection,
    schema: Schema,
  ): Promise<ReadonlyMap<TableId, readonly (readonly string[])[]>>
  /** Casts an expression, which yields a text or a number, to the column's type. */
  asColumn(expression: string, column: Column): string
  /** Disables foreign keys for the session, and triggers if possible, as an unchecked reset does. */
  readonly uncheck: string
}

/** Facts about a column that the schema does not contain. */
export interface ColumnFacts {
  readonly name: string
  /** The base type below any domain, in lower case: `numeric(8,2)`, `text[]`. */
  readonly type: string
  /** The labels of an enumeration; otherwise empty. */
  readonly labels: readonly string[]
  readonly hasDefault: boolean
  /** Filled by the server from a counter or an expression. */
  readonly automatic: boolean
  /** Check constraints, partition bounds and other SQL that may mention permitted values. */
  readonly conditions: readonly string[]
}
