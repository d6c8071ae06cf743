import type { Column, Schema, Sequence, TableId } from '../schema/schema.ts'
import type { Connection } from './connection.ts'

/** Words for statements on single rows, and what their values must keep to. */
export interface RowDialect {
  /** By table, in the order of the columns. */
  facts(connection: Connection, schema: Schema): Promise<ReadonlyMap<TableId, readonly ColumnFacts[]>>
  ident(name: string): string
  literal(text: string): string
  qualified(table: { readonly schema: string; readonly name: string }): string
  /** An expression: the value as text that can be written back. */
  asText(expression: string): string
  /** Takes the next value of a free sequence. */
  draw(sequence: Sequence): string
  /** By table: the columns that each of its unique indexes is about, as far as the server tells; never none. */
  uniques(
    connection: Connection,
    schema: Schema,
  ): Promise<ReadonlyMap<TableId, readonly (readonly string[])[]>>
  /** An expression whose value is a text or a number, as a value of the column. */
  asColumn(expression: string, column: Column): string
  /** Switches foreign keys off for the session, and triggers where there is a way: as a reset does that may. */
  readonly uncheck: string
}

/** What the schema does not tell of a column. */
export interface ColumnFacts {
  readonly name: string
  /** Below any domain, in lower case: `numeric(8,2)`, `text[]`. */
  readonly type: string
  /** The labels of an enumeration; else empty. */
  readonly labels: readonly string[]
  readonly hasDefault: boolean
  /** Filled by the server from a counter or an expression. */
  readonly automatic: boolean
  /** Check constraints, partition bounds: whatever mentions values that may do. */
  readonly conditions: readonly string[]
}
