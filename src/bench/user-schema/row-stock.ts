import type { Connection } from '../../engine/connection.ts'
import type { RowDialect } from '../../engine/row-dialect.ts'
import { messageOf } from '../../errors.ts'
import {
  ATTEMPTS,
  type Changes,
  changesFor,
  insertRows,
  type Seed,
  type SubjectTable,
} from './multiply-rows.ts'

/** Inserts rows into one table, which must be empty. */
export interface RowSupply {
  /** Maximum number of rows. */
  readonly most: number
  /** Why no more rows are possible, as a phrase. */
  readonly reason: string
  /** The statement that inserts this many rows. */
  insert(rows: number): string
}

/** Rows of one table that were kept in a temporary table. */
export class RowStock {
  readonly subject: SubjectTable
  seed: Seed
  readonly #connection: Connection
  readonly #syntax: RowDialect

  constructor(
    connection: Connection,
    {
      subject,
      seed,
      syntax,
    }: { readonly subject: SubjectTable; readonly seed: Seed; readonly syntax: RowDialect },
  ) {
    this.subject = subject
    this.seed = seed
    this.#connection = connection
    this.#syntax = syntax
  }

  /** Supplies the kept rows without multiplying them. */
  plain(reason: string): RowSupply {
    const changes: Changes = new Map([...this.subject.dangling].map((name) => [name, 'null']))
    return {
      most: this.seed.rows,
      reason,
      insert: (rows) => this.#insert({ changes, attempt: 0 }, rows),
    }
  }

  /** Tries the ways to multiply in order, with two copies per row to see whether the server accepts them. */
  async multiplied(
    renew: string,
  ): Promise<{ readonly found: RowSupply | undefined; readonly reason: string }> {
    let reason = ''
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const chosen = changesFor(this.subject, attempt)
      if ('impossible' in chosen) return { found: undefined, reason: chosen.impossible }
      const how = { changes: chosen.changes, attempt }
      try {
        await this.#connection.query(renew)
        await this.#connection.query(this.#insert(how, 2 * this.seed.rows))
        const insert = (rows: number) => this.#insert(how, rows)
        return { found: { most: Number.POSITIVE_INFINITY, reason: '', insert }, reason }
      } catch (error) {
        reason = oneLine(messageOf(error))
      }
    }
    return { found: undefined, reason }
  }

  #insert(how: { readonly changes: Changes; readonly attempt: number }, rows: number): string {
    return insertRows(this.subject, this.seed, how, rows, this.#syntax)
  }
}

export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}
