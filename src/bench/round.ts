import { ANYWHERE } from '../engine/bench-dialect.ts'
import type { Connection } from '../engine/connection.ts'
import type { MethodContext, MethodRunner } from './method-runner.ts'
import { whileReading } from './readers.ts'
import { growth } from './storage-metrics.ts'

/** Figures of one round. Times in milliseconds, sizes in bytes; `undefined` if unknown. */
export interface Sample {
  readonly ms: number
  readonly journalBytes: number | undefined
  readonly freedBytes: number | undefined
  readonly leftBytes: number | undefined
  readonly readerWaitMs: number | undefined
  readonly nextInsertMs: number | undefined
}

export class TimeLimitExceeded extends Error {
  /** The share of rows that were deleted. */
  readonly share: number
  /** Milliseconds until then. */
  readonly ms: number

  constructor(share: number, ms: number) {
    super(`gave up after ${share} of the rows`)
    this.share = share
    this.ms = ms
  }
}

/** Rows per INSERT, which bounds the memory and log that the server needs. */
const CHUNK = 1_000_000

/**
 * Fills the tables, and measures how long it takes to empty them.
 *
 * @param readers connections that read in the meantime
 * @throws TimeLimitExceeded if a loop takes longer than the limit
 */
export async function emptyOnce(
  context: MethodContext,
  runner: MethodRunner,
  { readers, limitMs }: { readonly readers: readonly Connection[]; readonly limitMs: number },
): Promise<Sample> {
  await runner.renew()
  const emptyBytes = await context.metrics.bytes(runner.connection())
  await fill(context, runner.connection())
  const before = await readMetrics(context, runner.connection())
  const { ms, readerWaitMs } = await whileReading(readers, ANYWHERE.readOne, async () => {
    const began = performance.now()
    const share = await runner.run(began + limitMs)
    const took = performance.now() - began
    if (share < 1) throw new TimeLimitExceeded(share, took)
    return took
  })
  const after = await readMetrics(context, runner.connection())
  const began = performance.now()
  await runner.connection().query(ANYWHERE.insertOne)
  const nextInsertMs = performance.now() - began
  return {
    ms,
    journalBytes: growth(after.journal, before.journal),
    freedBytes: growth(before.bytes, after.bytes),
    leftBytes: growth(after.bytes, emptyBytes),
    readerWaitMs,
    nextInsertMs,
  }
}

async function fill({ engine, shape, rowsPerTable }: MethodContext, connection: Connection): Promise<void> {
  for (let from = 1; from <= rowsPerTable; from += CHUNK) {
    const to = Math.min(rowsPerTable, from + CHUNK - 1)
    await connection.query(engine.bench.fill(shape, from, to).join(';\n'))
  }
}

async function readMetrics({ metrics }: MethodContext, connection: Connection) {
  return { journal: await metrics.journal(connection), bytes: await metrics.bytes(connection) }
}
