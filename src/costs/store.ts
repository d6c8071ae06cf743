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
export interface CostServer {
  readonly engine: Engine
  readonly connection: Connection
}

const MAX_FILES = 50

/** Samples per server, one per start. */
const SAMPLES_KEPT = 3

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

const costFile = z.object({
  /** Explains the file to people who open it. */
  conditions: z.string(),
  measuredAt: z.iso.datetime(),
  measured: z.array(costsShape).check(z.minLength(1)),
})

/**
 * The costs measured on this server, or else on a server that afresh started on this machine with the same
 * version and settings; `undefined` if there are none. Ignores an unreadable file: it is a cache.
 */
export async function readServerCosts(server: CostServer): Promise<Costs | undefined> {
  return (await readCosts(server))?.costs
}

/** Also reports whether there are enough samples. */
export async function readCosts({
  engine,
  connection,
}: CostServer): Promise<{ readonly costs: Costs; readonly isSettled: boolean } | undefined> {
  if (engine.costs === undefined) return undefined
  const files = await filesOf(engine, engine.costs, connection)
  const samples = (await readSamples(files.ofServer)) ?? (await readSamples(files.ofConfiguration))
  const costs = medianSample(samples ?? [])
  return costs === undefined ? undefined : { costs, isSettled: (samples ?? []).length >= SAMPLES_KEPT }
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
  server: CostServer,
  costs: Costs,
  { startedByAfresh }: CostStoreOptions,
): Promise<void> {
  await updateSamples(server, startedByAfresh, (before) => [...before, costs].slice(-SAMPLES_KEPT))
}

/** Replaces all samples with more accurate costs. Throws the file system's errors. */
export async function replaceSamples(
  server: CostServer,
  costs: Costs,
  { startedByAfresh }: CostStoreOptions,
): Promise<void> {
  await updateSamples(server, startedByAfresh, () => Array<Costs>(SAMPLES_KEPT).fill(costs))
}

async function updateSamples(
  { engine, connection }: CostServer,
  startedByAfresh: boolean,
  change: (before: readonly Costs[]) => readonly Costs[],
): Promise<void> {
  if (engine.costs === undefined) return
  const files = await filesOf(engine, engine.costs, connection)
  const path = startedByAfresh ? files.ofConfiguration : files.ofServer
  const samples = change((await readSamples(path)) ?? [])
  const content = { conditions: files.conditions, measuredAt: new Date().toISOString(), measured: samples }
  await writeCacheFile(path, `${JSON.stringify(content, null, 2)}\n`, MAX_FILES)
}

/** The median of each figure: a server that has just started may be busy. */
function medianSample(samples: readonly Costs[]): Costs | undefined {
  const [first] = samples
  if (first === undefined) return undefined
  const median = (name: keyof Costs) =>
    samples.map((costs) => costs[name]).sort((a, b) => a - b)[Math.floor((samples.length - 1) / 2)] ??
    first[name]
  return {
    truncate: median('truncate'),
    truncateFile: median('truncateFile'),
    truncateKey: median('truncateKey'),
    planTable: median('planTable'),
    deleteRow: median('deleteRow'),
    deleteIndexRow: median('deleteIndexRow'),
    probeRow: median('probeRow'),
    referredRow: median('referredRow'),
    readPage: median('readPage'),
    restart: median('restart'),
    pageBytes: first.pageBytes,
  }
}

async function filesOf(engine: Engine, meter: CostMeter, connection: Connection) {
  const conditions = await meter.conditions(connection)
  const facts = await engine.databases?.facts(connection)
  const pathOf = (...parts: string[]) => {
    const hash = createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16)
    return join(cacheFolder(), 'costs', `${engine.name}-${hash}.json`)
  }
  return {
    conditions,
    ofServer: pathOf(conditions, facts?.systemIdentifier ?? ''),
    ofConfiguration: pathOf(conditions),
  }
}

async function readSamples(path: string): Promise<readonly Costs[] | undefined> {
  const text = await readCacheFile(path)
  if (text === undefined) return undefined
  try {
    return costFile.safeParse(JSON.parse(text.toString())).data?.measured
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
