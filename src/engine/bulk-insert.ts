import type { Column, Schema, Table } from '../schema/schema.ts'
import type { Connection } from './connection.ts'
import type { SessionOptions } from './erase-dialect.ts'

/** A number as its file spells it: no digit is lost. */
export class Numeral {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A value of a file. A list or map becomes an array or JSON, as the column requires. */
export type Value =
  | null
  | string
  | boolean
  | Numeral
  | Uint8Array
  | readonly Value[]
  | ReadonlyMap<string, Value>

export interface SourceRow {
  /** The line in the file where the row begins, counted from 1. */
  readonly line: number
  /** In the order of the columns. */
  readonly values: readonly Value[]
}

/** Rows of one file for one table, which all have the same columns. */
export interface RowSource {
  readonly file: string
  readonly table: Table
  readonly columns: readonly Column[]
  /** Reads the rows from the first one, each time it is called, in batches that fit into memory. */
  batches(): AsyncIterable<readonly SourceRow[]>
}

/** Sources whose tables reference each other, or one table that references itself or no other one of them. */
export interface RowGroup {
  readonly sources: readonly RowSource[]
  /** Whether a row may reference another row of the group, before or after it. */
  readonly isCyclic: boolean
}

/** Inserts many rows in one transaction and in constant memory. */
export interface BulkInsert {
  /**
   * Inserts the rows, and moves the sequences that their columns own past the values. Foreign keys are
   * checked, and triggers fire. Dates and times without a zone are in UTC.
   *
   * @param groups parents before children
   * @throws RowError for a row that the server rejects. Nothing was inserted then, except into tables without
   * transactions
   * @throws AfreshError `blocked` if another session held a lock for too long
   */
  insert(
    connection: Connection,
    schema: Schema,
    groups: readonly RowGroup[],
    options: BulkInsertOptions,
  ): Promise<void>
}

/** Without `lockTimeoutMs`, locks are waited for as long as the session does. */
export type BulkInsertOptions = Partial<SessionOptions>

/** The position of a rejected row, as far as it is known. */
export interface RowPosition {
  readonly source?: RowSource | undefined
  readonly line?: number | undefined
  readonly column?: string | undefined
  readonly next?: string
}

/** A row was rejected. */
export class RowError extends Error {
  readonly position: RowPosition

  constructor(message: string, position: RowPosition, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.position = position
  }
}

export function jsonOf(value: Value): string {
  if (value instanceof Numeral) return value.text.replace(/^(-?)0+(?=\d)/, '$1')
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'))
  if (value instanceof Map) {
    const entries = [...value].map(([name, inner]) => `${JSON.stringify(name)}:${jsonOf(inner as Value)}`)
    return `{${entries.join(',')}}`
  }
  if (Array.isArray(value)) return `[${value.map(jsonOf).join(',')}]`
  return JSON.stringify(value)
}

/** The value as text, as messages of servers show it. */
export function textOf(value: Value): string {
  return typeof value === 'string' ? value : jsonOf(value)
}

/** PostgreSQL's notation of binary values, which text files use for all engines. */
const HEX = /^\\x((?:[0-9a-f]{2})*)$/i

/** The bytes that a text for a binary column stands for; `undefined` for any other text. */
export function bytesOf(text: string): Buffer | undefined {
  const [, hex] = HEX.exec(text) ?? []
  return hex === undefined ? undefined : Buffer.from(hex, 'hex')
}
