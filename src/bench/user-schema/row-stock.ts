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

/** Rows of one table, as many as wanted; the table must be empty then. */
export interface RowSupply {
  /** No more than this can be made. */
  readonly most: number
  /** Why not, as a phrase for people. */
  readonly reason: string
  /** The statement that makes so many. */
  insert(rows: number): string
}

/** The rows of one table that were kept aside. */
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

  /** The rows as they are, and no others. */
  plain(reason: string): RowSupply {
    const changes: Changes = new Map([...this.subject.dangling].map((name) => [name, 'null']))
    return {
      most: this.seed.rows,
      reason,
      insert: (rows) => this.#insert({ changes, attempt: 0 }, rows),
    }
  }

  /** Tried out, one way after the other, by as many copies as show whether the server takes more than one. */
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
