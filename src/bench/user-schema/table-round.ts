import type { Connection } from '../../engine/connection.ts'
import { whileReading } from '../readers.ts'
import { growth, type StorageMetrics } from '../storage-metrics.ts'

/** What one round told. Times in milliseconds, sizes in bytes; `undefined`: nobody can tell. */
export interface Sample {
  readonly ms: number
  readonly journalBytes: number | undefined
  readonly freedBytes: number | undefined
  readonly leftBytes: number | undefined
  readonly readerWaitMs: number | undefined
  readonly nextInsertMs: number | undefined
}

/** The statements of a round. */
export interface Round {
  /** Makes the table as new. */
  readonly renew: string
  readonly fill: string
  readonly empty: string
  /** As the next test would write first. */
  readonly insertOne: string
  /** What somebody else may be doing meanwhile. */
  readonly readOne: string
  /** Tells in `n` how many rows there are; where `undefined`, nobody looks. */
  readonly count: string | undefined
}

export interface RoundOptions {
  readonly rows: number
  readonly metrics: StorageMetrics
  readonly readers?: readonly Connection[]
}

/** As many rows as wanted could not be made. The message is a phrase for people. */
export class Unfillable extends Error {
  override readonly name = 'Unfillable'
}

/**
 * Fills the table, and empties it while a clock runs.
 *
 * @param readers connections that read meanwhile
 * @throws Unfillable where the server does not let so many rows in
 * @throws Error where rows are left, or what the server throws
 */
export async function emptyOnce(
  connection: Connection,
  { renew, fill, empty, insertOne, readOne, count }: Round,
  { rows, metrics, readers = [] }: RoundOptions,
): Promise<Sample> {
  const left = async () =>
    count === undefined ? undefined : Number((await connection.query(count))[0]?.n ?? 0)
  await connection.query(renew)
  const bytesWhenNew = await metrics.bytes(connection)
  await filled(connection, fill)
  const there = await left()
  if (there !== undefined && there !== rows) throw new Unfillable(`only ${there} of ${rows} rows came in`)
  const before = { journal: await metrics.journal(connection), bytes: await metrics.bytes(connection) }
  const { ms, readerWaitMs } = await whileReading(readers, readOne, async () => {
    const began = performance.now()
    await connection.query(empty)
    return performance.now() - began
  })
  const after = { journal: await metrics.journal(connection), bytes: await metrics.bytes(connection) }
  if (((await left()) ?? 0) > 0) throw new Error('rows are left: a trigger or a rule keeps them')
  const insertBegan = performance.now()
  const nextInsertMs = await connection.query(insertOne).then(
    () => performance.now() - insertBegan,
    () => undefined,
  )
  return {
    ms,
    journalBytes: growth(after.journal, before.journal),
    // Files that did not grow when rows were made tell nothing of them.
    ...(before.bytes === bytesWhenNew
      ? { freedBytes: undefined, leftBytes: undefined }
      : {
          freedBytes: growth(before.bytes, after.bytes),
          leftBytes: growth(after.bytes, bytesWhenNew),
        }),
    readerWaitMs,
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
