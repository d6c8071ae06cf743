/** Runs a very large number of resets in a row: `npm run bench:soak`. Options: see `USAGE`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machine } from '../../src/bench/machine.ts'
import { summarize } from '../../src/bench/measure.ts'
import { randomFrom } from '../../src/generate/random.ts'
import { createHarness, existing } from '../../src/index.ts'
import { type Client, connect } from '../client.ts'
import { dirtyAmong, optionsOf, roundTo, wholeNumber } from '../options.ts'
import { dirtSql, pickDirty, schemaSql, tableNames } from '../schema.ts'
import { type BenchServer, startBenchServer } from '../servers.ts'

const USAGE = `npm run bench:soak -- [options]
  --server ID      default postgres:18
  --resets N       default 100000
  --block N        resets that one line sums up; default a tenth of them
  --tables N       default 30
  --dirty N        tables that a test writes to; default 5
  --rows N         rows in each of them; default 10
  --out FILE       default benchmarks/soak/results.json`

const values = optionsOf(USAGE, {
  server: { type: 'string', default: 'postgres:18' },
  resets: { type: 'string', default: '100000' },
  block: { type: 'string' },
  tables: { type: 'string', default: '30' },
  dirty: { type: 'string', default: '5' },
  rows: { type: 'string', default: '10' },
  out: { type: 'string', default: join(import.meta.dirname, 'results.json') },
})
const resets = wholeNumber(values.resets, 'resets')
const block =
  values.block === undefined ? Math.max(1, Math.floor(resets / 10)) : wholeNumber(values.block, 'block')
const tables = wholeNumber(values.tables, 'tables')
const dirty = dirtyAmong(tables, values.dirty)
const rows = wholeNumber(values.rows, 'rows')

interface Block {
  readonly upTo: number
  readonly medianMs: number
  readonly q1Ms: number
  readonly q3Ms: number
  readonly slowestMs: number
  /** Size of all tables together, and of the largest; without indexes. */
  readonly tablesKb: number
  readonly largestKb: number
  readonly rssMb: number
  /** After a garbage collection, if Node was started with --expose-gc. */
  readonly heapMb: number
  readonly truncated: number
}

const server = await startBenchServer(values.server)
try {
  const blocks = await soak(server)
  const [first, last] = [blocks[0], blocks.at(-1)]
  const results = {
    format: 1,
    date: new Date().toISOString(),
    machine: machine(),
    server: { id: server.id, title: server.title, version: server.version },
    settings: { resets, block, tables, dirty, rows },
    lastToFirstMedian: first && last ? roundTo(last.medianMs / first.medianMs, 2) : undefined,
    blocks,
  }
  writeFileSync(values.out, `${JSON.stringify(results, null, 1)}\n`)
  console.log(`median of the last block against the first: ${results.lastToFirstMedian}×`)
} finally {
  await server.running.stop()
}

async function soak({ running: { engine, url } }: BenchServer): Promise<Block[]> {
  await using harness = await createHarness({
    server: existing(url),
    project: 'bench-soak',
    migrate: async ({ url: database }) => {
      const client = await connect(database)
      await client.run(schemaSql(engine, tables))
      await client.close()
    },
  })
  await using database = await harness.lease()
  const client = await connect(database.url)
  const random = randomFrom(1)
  const blocks: Block[] = []
  let samples: number[] = []
  let truncated = 0
  console.log(
    `${server.title}, ${server.version}: ${resets} resets of ${dirty} × ${rows} rows in ${tables} tables`,
  )
  for (let reset = 1; reset <= resets; reset++) {
    await client.run(dirtSql(pickDirty(random, tables, dirty), { rows }))
    const begin = performance.now()
    const { steps } = await database.reset()
    samples.push(performance.now() - begin)
    truncated += steps.filter((step) => step.truncated).length
    if (reset % block === 0 || reset === resets) {
      blocks.push({
        upTo: reset,
        ...figuresOf(samples),
        ...(await sizes(client, engine)),
        ...memory(),
        truncated,
      })
      console.log(inWords(blocks.at(-1)))
      samples = []
      truncated = 0
    }
  }
  const differences = await database.verify()
  if (differences.length > 0)
    throw new Error(`not at its baseline in the end: ${JSON.stringify(differences)}`)
  await client.close()
  return blocks
}

function figuresOf(samples: readonly number[]) {
  const { median, q1, q3 } = summarize(samples)
  const slowestMs = samples.reduce((most, ms) => Math.max(most, ms), 0)
  return { medianMs: roundTo(median), q1Ms: roundTo(q1), q3Ms: roundTo(q3), slowestMs: roundTo(slowestMs) }
}

async function sizes(client: Client, engine: string): Promise<{ tablesKb: number; largestKb: number }> {
  const sql =
    engine === 'postgres'
      ? tableNames(tables).map((table) => `SELECT pg_relation_size('${table}') AS bytes`)
      : [`SELECT data_length AS bytes FROM information_schema.tables WHERE table_schema = DATABASE()`]
  if (engine === 'mysql') await client.run('SET SESSION information_schema_stats_expiry = 0')
  const all = (await client.run(sql.join(' UNION ALL '))).map(({ bytes }) => Number(bytes) / 1024)
  return { tablesKb: Math.round(all.reduce((sum, kb) => sum + kb, 0)), largestKb: Math.max(...all) }
}

function memory(): { rssMb: number; heapMb: number } {
  globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  return { rssMb: roundTo(rss / 2 ** 20, 1), heapMb: roundTo(heapUsed / 2 ** 20, 1) }
}

function inWords(figures: Block | undefined): string {
  if (figures === undefined) return ''
  const { upTo, medianMs, q1Ms, q3Ms, slowestMs, tablesKb, largestKb, rssMb, heapMb, truncated } = figures
  return `${String(upTo).padStart(7)}  median ${medianMs} ms (${q1Ms}–${q3Ms}, slowest ${slowestMs}), tables ${tablesKb} kB (largest ${largestKb}), Node ${rssMb} MB (heap ${heapMb}), ${truncated} truncated`
}
