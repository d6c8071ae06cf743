import type { Connection } from '../../engine/engine.ts'
import { type Gauge, grownBy } from '../gauge.ts'
import { whileReading } from '../readers.ts'

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
  readonly gauge: Gauge
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
  { rows, gauge, readers = [] }: RoundOptions,
): Promise<Sample> {
  const left = async () =>
    count === undefined ? undefined : Number((await connection.query(count))[0]?.n ?? 0)
  await connection.query(renew)
  const bytesWhenNew = await gauge.bytes(connection)
  await filled(connection, fill)
  const there = await left()
  if (there !== undefined && there !== rows) throw new Unfillable(`only ${there} of ${rows} rows came in`)
  const before = { journal: await gauge.journal(connection), bytes: await gauge.bytes(connection) }
  const { ms, readerWaitMs } = await whileReading(readers, readOne, async () => {
    const began = performance.now()
    await connection.query(empty)
    return performance.now() - began
  })
  const after = { journal: await gauge.journal(connection), bytes: await gauge.bytes(connection) }
  if (((await left()) ?? 0) > 0) throw new Error('rows are left: a trigger or a rule keeps them')
  const insertBegan = performance.now()
  const nextInsertMs = await connection.query(insertOne).then(
    () => performance.now() - insertBegan,
    () => undefined,
  )
  return {
    ms,
    journalBytes: grownBy(after.journal, before.journal),
    // Files that did not grow when rows were made tell nothing of them.
    ...(before.bytes === bytesWhenNew
      ? { freedBytes: undefined, leftBytes: undefined }
      : {
          freedBytes: grownBy(before.bytes, after.bytes),
          leftBytes: grownBy(after.bytes, bytesWhenNew),
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
