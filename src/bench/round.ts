import { setTimeout as sleep } from 'node:timers/promises'
import { ANYWHERE } from '../engine/bench-dialect.ts'
import type { Connection } from '../engine/connection.ts'
import type { Past } from './cases.ts'
import type { MethodContext, MethodRunner } from './method-runner.ts'
import { whileReading } from './readers.ts'
import type { Sample } from './sample.ts'
import { growth } from './storage-metrics.ts'

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

export interface RoundOptions {
  /** Connections that read in the meantime. */
  readonly readers: readonly Connection[]
  /** Milliseconds after which a loop gives up. */
  readonly limitMs: number
  readonly past: Past
}

/** One database of a round, with its method. */
export interface Contestant {
  readonly context: MethodContext
  readonly runner: MethodRunner
}

/** Rows per INSERT, which bounds the memory and log that the server needs. */
const CHUNK = 1_000_000

/**
 * Fills the tables, and measures how long it takes to empty them.
 *
 * @throws TimeLimitExceeded if a loop takes longer than the limit
 */
export async function emptyOnce(
  context: MethodContext,
  runner: MethodRunner,
  options: RoundOptions,
): Promise<Sample> {
  return emptyAtOnce([{ context, runner }], options)
}

/**
 * Fills the tables of several databases, and measures how long it takes until all of them are empty, when they
 * begin at the same time. The figures beside the time are those of the first.
 *
 * @throws TimeLimitExceeded if a loop takes longer than the limit
 */
export async function emptyAtOnce(
  contestants: readonly Contestant[],
  { readers, limitMs, past }: RoundOptions,
): Promise<Sample> {
  const [first] = contestants
  if (first === undefined) throw new RangeError('nothing to empty')
  const { context } = first
  const connection = () => first.runner.connection()
  for (const { runner } of contestants) await runner.renew()
  const emptyBytes = await context.metrics.bytes(connection())
  for (const contestant of contestants) await prepare(contestant, past)
  const before = await readMetrics(context, connection())
  const cpuBefore = context.cpuMs?.()
  const { ms, waitsMs } = await whileReading(readers, ANYWHERE.readOne, () =>
    emptied(
      contestants.map(({ runner }) => runner),
      limitMs,
    ),
  )
  const cpuMs = cpuBefore === undefined ? undefined : growth(context.cpuMs?.(), cpuBefore)
  const after = await readMetrics(context, connection())
  const began = performance.now()
  await connection().query(ANYWHERE.insertOne)
  const nextInsertMs = performance.now() - began
  return {
    ms,
    journalBytes: growth(after.journal, before.journal),
    freedBytes: growth(before.bytes, after.bytes),
    leftBytes: growth(after.bytes, emptyBytes),
    waitsMs,
    nextInsertMs,
    cpuMs,
  }
}

/** Milliseconds until all are done. */
async function emptied(runners: readonly MethodRunner[], limitMs: number): Promise<number> {
  const began = performance.now()
  const shares = await Promise.all(runners.map((runner) => runner.run(began + limitMs)))
  const took = performance.now() - began
  const share = Math.min(...shares)
  if (share < 1) throw new TimeLimitExceeded(share, took)
  return took
}

async function prepare({ context, runner }: Contestant, past: Past): Promise<void> {
  const { bench } = context.engine
  const connection = runner.connection()
  await fill(context, connection)
  if (past === 'used' || past === 'tidied') {
    const statements = bench.empty('delete', context.shape) ?? []
    await connection.query(statements.join(';\n'))
    if (past === 'tidied') await tidy(context, connection)
    await fill(context, connection)
  }
  if (past === 'checkpoint' && bench.checkpoint !== undefined) await connection.query(bench.checkpoint)
}

const LONGEST_PURGE_MS = 60_000

async function tidy({ engine: { bench }, shape }: MethodContext, connection: Connection): Promise<void> {
  for (const statement of bench.vacuum?.(shape) ?? []) await connection.query(statement)
  const until = performance.now() + LONGEST_PURGE_MS
  while (bench.isPurged !== undefined && !(await bench.isPurged(connection))) {
    if (performance.now() > until) throw new Error('the purge of deleted rows did not end within a minute')
    await sleep(20)
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
