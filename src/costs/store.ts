import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Connection } from '../engine/connection.ts'
import type { CostMeter } from '../engine/costs.ts'
import type { Engine } from '../engine/engine.ts'
import type { Costs } from '../plan/cost.ts'
import { readCacheFile, writeCacheFile } from '../server/cache-file.ts'
import { cacheFolder } from '../server/embedded/cache.ts'
import * as z from '../util/validation.ts'

/** The server behind a connection. */
export interface Measured {
  readonly engine: Engine
  readonly connection: Connection
}

const FILES_KEPT = 50

/** Samples per server, one per start. */
const TIMES = 3

const microseconds = z.number().check(z.nonnegative())

const costsShape = z.object({
  truncate: microseconds,
  truncateFile: z.number().check(z.positive()),
  truncateKey: microseconds,
  planTable: microseconds,
  deleteRow: z.number().check(z.positive()),
  deleteIndexRow: microseconds,
  probeRow: microseconds,
  referredRow: microseconds,
  readPage: microseconds,
  restart: microseconds,
  pageBytes: z.int().check(z.positive()),
})

const file = z.object({
  /** Explains the file to people who open it. */
  conditions: z.string(),
  measuredAt: z.iso.datetime(),
  measured: z.array(costsShape).check(z.minLength(1)),
})

/**
 * The costs measured on this server, or else on a server that afresh started on this machine with the same
 * version and settings; `undefined` if there are none. Ignores an unreadable file: it is a cache.
 */
export async function readServerCosts(server: Measured): Promise<Costs | undefined> {
  return (await readCosts(server))?.costs
}

/** Also reports whether there are enough samples. */
export async function readCosts({
  engine,
  connection,
}: Measured): Promise<{ readonly costs: Costs; readonly isSettled: boolean } | undefined> {
  if (engine.costs === undefined) return undefined
  const places = await placesOf(engine, engine.costs, connection)
  const measured = (await read(places.server)) ?? (await read(places.kind))
  const costs = medianSample(measured ?? [])
  return costs === undefined ? undefined : { costs, isSettled: (measured ?? []).length >= TIMES }
}

export interface CostStoreOptions {
  /**
   * Whether afresh started the server. Such a server has a new identity each time, so its costs are stored by
   * version and settings. Those of another server are stored by its identity as well.
   */
  readonly startedByAfresh: boolean
}

/** Adds one sample. Throws the file system's errors. */
export async function addSample(
  server: Measured,
  costs: Costs,
  { startedByAfresh }: CostStoreOptions,
): Promise<void> {
  await keep(server, startedByAfresh, (before) => [...before, costs].slice(-TIMES))
}

/** Replaces all samples with more accurate costs. Throws the file system's errors. */
export async function replaceSamples(
  server: Measured,
  costs: Costs,
  { startedByAfresh }: CostStoreOptions,
): Promise<void> {
  await keep(server, startedByAfresh, () => Array<Costs>(TIMES).fill(costs))
}

async function keep(
  { engine, connection }: Measured,
  startedByAfresh: boolean,
  change: (before: readonly Costs[]) => readonly Costs[],
): Promise<void> {
  if (engine.costs === undefined) return
  const places = await placesOf(engine, engine.costs, connection)
  const path = startedByAfresh ? places.kind : places.server
  const measured = change((await read(path)) ?? [])
  const content = { conditions: places.conditions, measuredAt: new Date().toISOString(), measured }
  await writeCacheFile(path, `${JSON.stringify(content, null, 2)}\n`, FILES_KEPT)
}

/** The median of each figure: a server that has just started may be busy. */
function medianSample(measured: readonly Costs[]): Costs | undefined {
  const [first] = measured
  if (first === undefined) return undefined
  const middle = (name: keyof Costs) =>
    measured.map((costs) => costs[name]).sort((a, b) => a - b)[Math.floor((measured.length - 1) / 2)] ??
    first[name]
  return {
    truncate: middle('truncate'),
    truncateFile: middle('truncateFile'),
    truncateKey: middle('truncateKey'),
    planTable: middle('planTable'),
    deleteRow: middle('deleteRow'),
    deleteIndexRow: middle('deleteIndexRow'),
    probeRow: middle('probeRow'),
    referredRow: middle('referredRow'),
    readPage: middle('readPage'),
    restart: middle('restart'),
    pageBytes: first.pageBytes,
  }
}

async function placesOf(engine: Engine, meter: CostMeter, connection: Connection) {
  const conditions = await meter.conditions(connection)
  const facts = await engine.databases?.facts(connection)
  const pathOf = (...parts: string[]) => {
    const hash = createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16)
    return join(cacheFolder(), 'costs', `${engine.name}-${hash}.json`)
  }
  return {
    conditions,
    server: pathOf(conditions, facts?.systemIdentifier ?? ''),
    kind: pathOf(conditions),
  }
}

async function read(path: string): Promise<readonly Costs[] | undefined> {
  const text = await readCacheFile(path)
  if (text === undefined) return undefined
  try {
    return file.safeParse(JSON.parse(text.toString())).data?.measured
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
