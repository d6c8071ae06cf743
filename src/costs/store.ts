import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import type { Connection, CostMeter, Engine } from '../engine/engine.ts'
import { codeOf } from '../errors.ts'
import type { Costs } from '../plan/cost.ts'
import { cacheFolder } from '../server/cache.ts'

/** The server at the other end of a connection. */
export interface Measured {
  readonly engine: Engine
  readonly connection: Connection
}

const FILES_KEPT = 50

const microseconds = z.number().nonnegative()

const file = z.object({
  /** For people who wonder what the file is. */
  conditions: z.string(),
  measuredAt: z.iso.datetime(),
  costs: z.object({
    truncate: microseconds,
    truncateFile: microseconds.positive(),
    deletePage: microseconds.positive(),
    deleteIndexPage: microseconds,
    probePage: microseconds,
    deadPage: microseconds,
    restart: microseconds,
    pageBytes: z.number().int().positive(),
  }),
})

/**
 * What was measured on this server, or on a server of afresh's own on this machine with the same version and settings;
 * `undefined` where nothing was. A file that cannot be read counts as none: it is a cache.
 */
export async function recallCosts({ engine, connection }: Measured): Promise<Costs | undefined> {
  if (engine.costs === undefined) return undefined
  const places = await placesOf(engine, engine.costs, connection)
  return (await read(places.server)) ?? (await read(places.kind))
}

/**
 * Keeps the costs of a server for later runs, in the cache folder.
 *
 * @param ours whether afresh started the server: it has a new identity each time, so what counts is its version and
 * its settings. A server that stays is remembered by its identity as well.
 * @throws what the file system throws
 */
export async function rememberCosts(
  { engine, connection }: Measured,
  costs: Costs,
  { ours }: { readonly ours: boolean },
): Promise<void> {
  if (engine.costs === undefined) return
  const places = await placesOf(engine, engine.costs, connection)
  const path = ours ? places.kind : places.server
  const content = { conditions: places.conditions, measuredAt: new Date().toISOString(), costs }
  await mkdir(dirname(path), { recursive: true })
  // Others may be reading it.
  const fresh = `${path}.${process.pid}`
  await writeFile(fresh, `${JSON.stringify(content, null, 2)}\n`)
  await rename(fresh, path)
  await forgetOldest(dirname(path))
}

/** A server that is set up anew for each run is another one each time. */
async function forgetOldest(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json'))
  if (names.length <= FILES_KEPT) return
  const aged = await Promise.all(
    names.map(async (name) => ({ name, written: (await stat(join(folder, name))).mtimeMs })),
  )
  const old = aged.sort((a, b) => b.written - a.written).slice(FILES_KEPT)
  await Promise.all(old.map(({ name }) => rm(join(folder, name), { force: true })))
}

async function placesOf(engine: Engine, meter: CostMeter, connection: Connection) {
  const conditions = await meter.conditions(connection)
  const facts = await engine.databases?.facts(connection)
  const place = (...parts: string[]) => {
    const hash = createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16)
    return join(cacheFolder(), 'costs', `${engine.name}-${hash}.json`)
  }
  return {
    conditions,
    server: place(conditions, facts?.systemIdentifier ?? ''),
    kind: place(conditions),
  }
}

async function read(path: string): Promise<Costs | undefined> {
  try {
    return file.safeParse(JSON.parse(await readFile(path, 'utf8'))).data?.costs
  } catch (error) {
    if (error instanceof SyntaxError || codeOf(error) !== undefined) return undefined
    throw error
  }
}
