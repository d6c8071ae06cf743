import type { Connection } from '../../engine/connection.ts'
import { whileReading } from '../readers.ts'
import type { Sample } from '../sample.ts'
import { growth, type StorageMetrics } from '../storage-metrics.ts'

/** The statements of a round. */
export interface Round {
  /** Resets the table to its initial state. */
  readonly renew: string
  readonly fill: string
  readonly empty: string
  /** The first write of the next test. */
  readonly insertOne: string
  /** What another client reads in the meantime. */
  readonly readOne: string
  /** Returns the number of rows in `n`; rows are not counted if `undefined`. */
  readonly count: string | undefined
}

export interface RoundOptions {
  readonly rows: number
  readonly metrics: StorageMetrics
  readonly readers?: readonly Connection[]
}

/** Fewer rows than requested could be made. The message is a phrase. */
export class Unfillable extends Error {
  override readonly name = 'Unfillable'
}

/**
 * Fills the table, and measures how long it takes to empty it.
 *
 * @param readers connections that read in the meantime
 * @throws Unfillable if the server does not accept that many rows
 * @throws Error if rows are left, or the server's error
 */
export async function emptyOnce(
  connection: Connection,
  { renew, fill, empty, insertOne, readOne, count }: Round,
  { rows, metrics, readers = [] }: RoundOptions,
): Promise<Sample> {
  const countRows = async () =>
    count === undefined ? undefined : Number((await connection.query(count))[0]?.n ?? 0)
  await connection.query(renew)
  const bytesWhenNew = await metrics.bytes(connection)
  await filled(connection, fill)
  const inserted = await countRows()
  if (inserted !== undefined && inserted !== rows)
    throw new Unfillable(`only ${inserted} of ${rows} rows came in`)
  const before = { journal: await metrics.journal(connection), bytes: await metrics.bytes(connection) }
  const { ms, waitsMs } = await whileReading(readers, readOne, async () => {
    const began = performance.now()
    await connection.query(empty)
    return performance.now() - began
  })
  const after = { journal: await metrics.journal(connection), bytes: await metrics.bytes(connection) }
  if (((await countRows()) ?? 0) > 0) throw new Error('rows are left: a trigger or a rule keeps them')
  const insertBegan = performance.now()
  const nextInsertMs = await connection.query(insertOne).then(
    () => performance.now() - insertBegan,
    () => undefined,
  )
  return {
    ms,
    journalBytes: growth(after.journal, before.journal),
    // If the files did not grow with the rows, their size says nothing.
    ...(before.bytes === bytesWhenNew
      ? { freedBytes: undefined, leftBytes: undefined }
      : {
          freedBytes: growth(before.bytes, after.bytes),
          leftBytes: growth(after.bytes, bytesWhenNew),
        }),
    waitsMs,
    nextInsertMs,
  }
}

async function filled(connection: Connection, fill: string): Promise<void> {
  try {
    await connection.query(fill)
  } catch (cause) {
    throw new Unfillable(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
