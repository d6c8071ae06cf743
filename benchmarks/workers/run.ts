/** Compares many workers on one server with a single one: `npm run bench:workers`. Options: see `USAGE`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machine } from '../../src/bench/machine.ts'
import { summarize } from '../../src/bench/measure.ts'
import { createHarness, existing, type Harness, type HarnessOptions } from '../../src/index.ts'
import { connect } from '../client.ts'
import { dirtyAmong, optionsOf, roundTo, wholeNumber } from '../options.ts'
import { schemaSql } from '../schema.ts'
import { type BenchServer, startBenchServer } from '../servers.ts'
import { type CpuMeter, serverCpu } from './cpu.ts'
import type { ResetFigures } from './worker.ts'
import { WorkerPool } from './worker-pool.ts'

const USAGE = `npm run bench:workers -- [options]
  --servers LIST   default embedded:18,postgres:18,mysql:9.7,mariadb:11.8
  --workers N      processes at once; default 8
  --tables N       default 100
  --dirty N        tables that a test writes to; default 3
  --rows N         rows in each of them; default 10
  --detector NAME  force wal, counters or scan; default auto
  --rounds N       resets of each worker whose processor time is measured; default 100
  --seconds N      how long they run freely, looking for each other's rows; default 10
  --out FILE       default benchmarks/workers/results.json`

const values = optionsOf(USAGE, {
  servers: { type: 'string', default: 'embedded:18,postgres:18,mysql:9.7,mariadb:11.8' },
  workers: { type: 'string', default: '8' },
  tables: { type: 'string', default: '100' },
  dirty: { type: 'string', default: '3' },
  rows: { type: 'string', default: '10' },
  detector: { type: 'string', default: 'auto' },
  rounds: { type: 'string', default: '100' },
  seconds: { type: 'string', default: '10' },
  out: { type: 'string', default: join(import.meta.dirname, 'results.json') },
})
const workers = wholeNumber(values.workers, 'workers')
const tables = wholeNumber(values.tables, 'tables')
const settings = {
  tables,
  dirty: dirtyAmong(tables, values.dirty),
  rows: wholeNumber(values.rows, 'rows'),
}
const rounds = wholeNumber(values.rounds, 'rounds')
const seconds = wholeNumber(values.seconds, 'seconds', 0)

interface Figures {
  readonly workers: number
  /** Milliseconds of processor time for one reset: of the workers' processes, of the server, of both. */
  readonly clientCpuMs: number
  readonly serverCpuMs: number
  readonly cpuMs: number
  /**
   * Both together for the same reset with hand-written SQL: its growth is due to the machine, not to afresh.
   */
  readonly handWrittenCpuMs: number
  readonly medianMs: number
  readonly detectors: Readonly<Record<string, number>>
}

const servers = []
for (const id of values.servers.split(',')) {
  const server = await startBenchServer(id)
  try {
    servers.push(await compare(server))
  } finally {
    await server.running.stop()
  }
}
const results = {
  format: 1,
  date: new Date().toISOString(),
  machine: machine(),
  settings: { ...settings, rounds, seconds, detector: values.detector },
  servers,
}
writeFileSync(values.out, `${JSON.stringify(results, null, 1)}\n`)
process.exitCode = servers.some(({ isolation }) => isolation.foreign.length > 0) ? 1 : 0

async function compare(server: BenchServer) {
  const { engine, url } = server.running
  await using harness = await createHarness({
    server: existing(url),
    project: 'bench-workers',
    // `createHarness` rejects other texts.
    detector: values.detector as NonNullable<HarnessOptions['detector']>,
    migrate: async ({ url: database }) => {
      const client = await connect(database)
      await client.run(schemaSql(engine, settings.tables))
      await client.close()
    },
  })
  const cpu = await serverCpu(server)
  const alone = await figures(harness, 1, cpu)
  const many = await figures(harness, workers, cpu)
  const isolation = await runFreely(harness)
  const ratio = roundTo(many.cpuMs / alone.cpuMs, 2)
  const handWrittenRatio = roundTo(many.handWrittenCpuMs / alone.handWrittenCpuMs, 2)
  print(server, alone, many, [ratio, handWrittenRatio], isolation)
  return {
    id: server.id,
    title: server.title,
    version: server.version,
    alone,
    together: many,
    cpuRatio: ratio,
    handWrittenCpuRatio: handWrittenRatio,
    isolation,
  }
}

async function figures(harness: Harness, count: number, cpu: CpuMeter): Promise<Figures> {
  await using pool = await WorkerPool.begin(count, { handle: harness.handle, ...settings })
  const handWritten = await together(pool, 'hand', cpu)
  const afresh = await together(pool, 'reset', cpu)
  return {
    workers: count,
    clientCpuMs: roundTo(afresh.clientMs),
    serverCpuMs: roundTo(afresh.serverMs),
    cpuMs: roundTo(afresh.clientMs + afresh.serverMs),
    handWrittenCpuMs: roundTo(handWritten.clientMs + handWritten.serverMs),
    medianMs: roundTo(summarize(afresh.resets.map(({ ms }) => ms)).median),
    detectors: tally(afresh.resets.map(({ detector }) => detector)),
  }
}

/**
 * All workers write, then all reset at the same moment: the processor time in between is that of resets
 * alone.
 */
async function together(pool: WorkerPool, by: 'reset' | 'hand', cpu: CpuMeter) {
  const warmUp = 20
  const resets: ResetFigures[] = []
  let serverMs = 0
  for (let round = -warmUp; round < rounds; round++) {
    await pool.write()
    const before = cpu()
    const done = await pool.reset(by)
    const used = cpu() - before
    if (round < 0) continue
    serverMs += used
    resets.push(...done)
  }
  const clientMs = resets.reduce((sum, { cpuMs }) => sum + cpuMs, 0)
  return { resets, clientMs: clientMs / resets.length, serverMs: serverMs / resets.length }
}

async function runFreely(harness: Harness) {
  await using pool = await WorkerPool.begin(workers, { handle: harness.handle, ...settings })
  const loops = await pool.loop(seconds * 1000)
  return {
    resets: loops.reduce((sum, { resets }) => sum + resets, 0),
    foreign: loops.flatMap(({ foreign }) => foreign),
    detectors: tally(loops.flatMap(({ detectors }) => detectors)),
  }
}

/** The number of occurrences of each item. */
function tally(items: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const item of items) counts[item] = (counts[item] ?? 0) + 1
  return counts
}

function print(
  server: BenchServer,
  alone: Figures,
  many: Figures,
  [ratio, handWrittenRatio]: readonly [number, number],
  isolation: Awaited<ReturnType<typeof runFreely>>,
): void {
  console.log(
    `\n${server.id}  ${server.version}, ${settings.tables} tables, ${settings.dirty} dirty with ${settings.rows} rows each`,
  )
  for (const { workers: count, cpuMs, clientCpuMs, serverCpuMs, medianMs, detectors } of [alone, many]) {
    console.log(
      `  ${count} worker(s): ${cpuMs} ms of processor time a reset (client ${clientCpuMs}, server ${serverCpuMs}), median ${medianMs} ms on the clock; ${inWords(detectors)}`,
    )
  }
  console.log(
    `  processor time of ${many.workers} against one alone: ${ratio}× (a hand-written reset: ${handWrittenRatio}×)`,
  )
  const found =
    isolation.foreign.length === 0
      ? 'no foreign row seen'
      : `FOREIGN ROWS: ${isolation.foreign.slice(0, 5).join('; ')}`
  console.log(
    `  freely for ${seconds} s: ${isolation.resets} resets, ${found}; ${inWords(isolation.detectors)}`,
  )
}

function inWords(detectors: Readonly<Record<string, number>>): string {
  return Object.entries(detectors)
    .map(([name, count]) => `${count} × ${name}`)
    .join(', ')
}
