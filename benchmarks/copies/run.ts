/** What a copy of a template costs, by afresh and by the server's own means: `npm run bench:copies`. */
import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { machine } from '../../src/bench/machine.ts'
import { randomFrom, shuffled } from '../../src/generate/random.ts'
import { median } from '../../src/util/median.ts'
import { STOCK, type StockId, startStock } from '../../test/support/stock-server.ts'
import { optionsOf, roundTo, wholeNumber, wholeNumbers } from '../options.ts'
import { type BenchServer, describeServer, startBenchServer } from '../servers.ts'
import type { CopyBench, CopyMethod } from './copy-bench.ts'
import { mysqlBench } from './mysql.ts'
import { postgresBench } from './postgres.ts'

const USAGE = `npm run bench:copies -- [options]
  --servers LIST   default mysql:9.7,mariadb:11.8,postgres:18; also mysql:9.7-stock, mariadb:11.8-stock
  --tables N       default 140; every fifth has 20 rows
  --rows LIST      rows of one table more, 0 for none; default 0,100000, on PostgreSQL 0,1000000
  --rounds N       copies by each method, in turns; default 7
  --out FILE       default benchmarks/copies/results.json`

const values = optionsOf(USAGE, {
  servers: { type: 'string', default: 'mysql:9.7,mariadb:11.8,postgres:18' },
  tables: { type: 'string', default: '140' },
  rows: { type: 'string' },
  rounds: { type: 'string', default: '7' },
  out: { type: 'string', default: join(import.meta.dirname, 'results.json') },
})
const tables = wholeNumber(values.tables, 'tables', 3)
const sizesFor = (isPostgres: boolean) =>
  wholeNumbers(values.rows ?? (isPostgres ? '0,1000000' : '0,100000'), 'rows', 0)
const rounds = wholeNumber(values.rounds, 'rounds')

/** The server still tidies up after DROP DATABASE, which is not what is measured. */
const PAUSE_MS = 200

interface MethodResult {
  readonly ms: readonly number[]
  readonly medianMs: number
  /** To the fastest raw method of a whole copy. */
  readonly ratio: number
  /** Of the server, for one copy on average; absent if it cannot be read. */
  readonly cpuMs?: number
  readonly cpuRatio?: number
}

async function start(id: string): Promise<BenchServer> {
  const isStock = (server: string): server is StockId => Object.hasOwn(STOCK, server)
  return isStock(id) ? describeServer(id, await startStock(id)) : startBenchServer(id)
}

const random = randomFrom(Date.now())

async function measure(bench: CopyBench): Promise<Record<string, MethodResult>> {
  const times = new Map<CopyMethod, { ms: number[]; cpu: number }>(
    bench.methods.map((method) => [method, { ms: [], cpu: 0 }]),
  )
  // The first round fills caches.
  for (let round = 0; round <= rounds; round++) {
    for (const [method, taken] of shuffled([...times], random)) {
      await method.prepare?.()
      const cpu = bench.cpuMs?.() ?? 0
      const begin = performance.now()
      await method.copy()
      const ms = performance.now() - begin
      const cpuMs = (bench.cpuMs?.() ?? 0) - cpu
      await method.remove()
      await new Promise((wake) => setTimeout(wake, PAUSE_MS))
      if (round === 0) continue
      taken.ms.push(roundTo(ms, 1))
      taken.cpu += cpuMs
    }
  }
  const medianOf = (method: CopyMethod) => median(times.get(method)?.ms ?? []) ?? Number.NaN
  const fastest = Math.min(...bench.methods.filter(({ isRaw }) => isRaw).map(medianOf))
  const leastCpu = Math.min(...[...times].flatMap(([{ isRaw }, { cpu }]) => (isRaw ? [cpu] : [])))
  return Object.fromEntries(
    [...times].map(([method, { ms, cpu }]) => [
      method.name,
      {
        ms,
        medianMs: medianOf(method),
        ratio: roundTo(medianOf(method) / fastest, 2),
        ...(bench.cpuMs && { cpuMs: roundTo(cpu / rounds, 0), cpuRatio: roundTo(cpu / leastCpu, 2) }),
      },
    ]),
  )
}

const results = []
for (const id of values.servers.split(',')) {
  const server = await start(id)
  try {
    const isPostgres = server.running.engine === 'postgres'
    for (const rows of sizesFor(isPostgres)) {
      const bench = await (isPostgres ? postgresBench : mysqlBench)(server, { tables, rows })
      try {
        const methods = await measure(bench)
        // Above the number of processors, others take part: compare what the server's processors did.
        const load = roundTo(loadavg()[0] ?? Number.NaN, 1)
        results.push({ id, server: server.title, version: server.version, tables, rows, load, methods })
        console.log(
          `\n${server.title} ${server.version}, ${tables} tables, ${rows} rows in one more; load ${load}`,
        )
        for (const [name, { medianMs, ratio, cpuMs, cpuRatio }] of Object.entries(methods)) {
          const cpu = cpuMs === undefined ? '' : `; ${cpuMs} ms of the server's processors, ${cpuRatio} times`
          console.log(`  ${name}: ${medianMs} ms, ${ratio} times the fastest raw method${cpu}`)
        }
      } finally {
        await bench.close()
      }
    }
  } finally {
    await server.running.stop()
  }
}
writeFileSync(values.out, `${JSON.stringify({ machine: machine(), rounds, results }, null, 2)}\n`)
