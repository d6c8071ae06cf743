import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Client } from 'pg'
import type { Connection } from '../connection.ts'

/** A client that takes the data of COPY … FROM STDIN. */
export type CopyTarget =
  | { readonly kind: 'stream'; readonly client: Client }
  /** PGlite reads a blob, which is in memory as a whole, as a file of this name. */
  | {
      readonly kind: 'blob'
      query(sql: string, values: unknown[], options: { blob: Blob }): Promise<unknown>
    }

const BLOB = `'/dev/blob'`

const targets = new WeakMap<Connection, CopyTarget>()

/** Records how the connection takes the data of COPY. */
export function withCopyTarget<T extends Connection>(connection: T, target: CopyTarget): T {
  targets.set(connection, target)
  return connection
}

export function copyTargetOf(connection: Connection): CopyTarget {
  const target = targets.get(connection)
  if (target === undefined) throw new TypeError('not a connection of PostgreSQL')
  return target
}

/**
 * Runs COPY in text format.
 *
 * @param into the table and its columns, as SQL
 */
export async function copyIn(target: CopyTarget, into: string, chunks: AsyncIterable<string>): Promise<void> {
  if (target.kind === 'stream') {
    const { from } = await import('pg-copy-streams')
    const stream = target.client.query(from(`COPY ${into} FROM STDIN`))
    await pipeline(Readable.from(chunks), stream)
    return
  }
  for await (const chunk of chunks) {
    await target.query(`COPY ${into} FROM ${BLOB}`, [], { blob: new Blob([chunk]) })
  }
}

/**
 * Copies rows from one database to another, which stream through this process.
 *
 * @param query a SELECT in `from`
 * @param into the table and its columns in `to`, as SQL
 * @returns the number of rows
 */
export async function copyBetween(
  from: Connection,
  query: string,
  to: Connection,
  into: string,
): Promise<number> {
  const [source, target] = [copyTargetOf(from), copyTargetOf(to)]
  if (source.kind !== 'stream' || target.kind !== 'stream') throw new TypeError('not connections to a server')
  const copy = await import('pg-copy-streams')
  const written = target.client.query(copy.from(`COPY ${into} FROM STDIN`))
  await pipeline(source.client.query(copy.to(`COPY (${query}) TO STDOUT`)), written)
  return written.rowCount
}
