/** Measures whether strategy `auto` chooses the faster method: `npm run bench:auto`. Options: see `USAGE`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machine } from '../../src/bench/machine.ts'
import { measureCosts } from '../../src/costs/measure.ts'
import { namesFor, newRunId } from '../../src/database/names.ts'
import { open } from '../../src/engine/registry.ts'
import { randomFrom } from '../../src/generate/random.ts'
import type { Costs } from '../../src/plan/cost.ts'
import { optionsOf, roundTo, wholeNumber } from '../options.ts'
import { ALL_SERVERS, type BenchServer, startBenchServer } from '../servers.ts'
import { type Case, describeCase, drawCases } from './cases.ts'
import {
  isClose,
  isGoodEnough,
  judge,
  type Outcome,
  type Results,
  type Score,
  type ServerResults,
  scoreOf,
  type Verdict,
} from './results.ts'
import { type Limits, StrategyComparison } from './strategy-comparison.ts'

const USAGE = `npm run bench:auto -- [options]
  --servers LIST   default ${ALL_SERVERS.join(',')}
  --cases N        random cases for each server; default 200
  --seed N         of the cases and of the order; default 1
  --rounds N       the most rounds of a case; default 31
  --minutes N      for all servers together, but for a few rounds that each case gets; default 6
  --out FILE       default benchmarks/auto/results.json`

const values = optionsOf(USAGE, {
  servers: { type: 'string', default: ALL_SERVERS.join(',') },
  cases: { type: 'string', default: '200' },
  seed: { type: 'string', default: '1' },
  rounds: { type: 'string', default: '31' },
  minutes: { type: 'string', default: '6' },
  out: { type: 'string', default: join(import.meta.dirname, 'results.json') },
})
/** The set-up time of a case. */
const SETUP_MS = 100
/** This many cases share a schema and its sessions, to save time. */
const TOGETHER = 5
const started = Date.now()
const count = wholeNumber(values.cases, 'cases')
const seed = wholeNumber(values.seed, 'seed', 0)
const mostRounds = wholeNumber(values.rounds, 'rounds')
/** A close case is measured again, right or wrong, and all its rounds count. */
const AGAIN = { leastRounds: Math.min(15, mostRounds), budgetMs: 1500 }
const until = started + wholeNumber(values.minutes, 'minutes') * 60_000
const serverIds = values.servers.split(',')
const total = count * serverIds.length
let done = 0

say(`${total} cases, seed ${seed}`)
const servers: ServerResults[] = []
for (const id of serverIds) {
  say(`${id}: starts`)
  const server = await startBenchServer(id)
  try {
    servers.push(await resultsOn(server))
  } finally {
    await server.running.stop()
  }
  // After each server, so that an interrupted run keeps its results.
  write()
}
for (const { title, score } of servers) console.log(describeScore(title, score))
process.exitCode = servers.every(({ score }) => isGoodEnough(score)) ? 0 : 1

function write(): void {
  const tookSeconds = Math.round((Date.now() - started) / 1000)
  const results: Results = {
    format: 1,
    date: new Date().toISOString(),
    machine: machine(),
    settings: { seed, cases: count, tookSeconds },
    servers,
  }
  writeFileSync(values.out, `${JSON.stringify(results, null, 1)}\n`)
}

async function resultsOn(server: BenchServer): Promise<ServerResults> {
  const begin = performance.now()
  const costs = await measured(server)
  const measuredInMs = Math.round(performance.now() - begin)
  const comparison = await StrategyComparison.on(server, costs)
  const random = randomFrom(seed)
  const cases: (Case & Outcome & Verdict)[] = []
  for (const group of grouped(drawCases(random, server.running.engine, count))) {
    const caseComparison = await comparison.open(group)
    const judged = async (benchCase: Case, limits: Pick<Limits, 'leastRounds' | 'budgetMs'>) => {
      const outcome = await caseComparison
        .run(benchCase, { autoRounds: 5, mostRounds, random, ...limits })
        .catch((cause) => {
          throw new Error(`${server.id}, ${describeCase(benchCase)}`, { cause })
        })
      return { ...benchCase, ...outcome, ...judge(outcome) }
    }
    const firsts: (Case & Outcome & Verdict)[] = []
    for (const benchCase of group)
      firsts.push(await judged(benchCase, { leastRounds: 1, budgetMs: budget() }))
    for (const first of firsts) {
      // Measured later, in case something else kept the machine busy the first time.
      const last = isClose(first) ? await judged(first, AGAIN) : first
      if (!last.isRight) say(`${server.id}, ${describeCase(last)}: ${describeVerdict(last)}`)
      cases.push(last)
      done++
      if (cases.length % 20 === 0) say(`${server.id}: ${cases.length} of ${count}${left()}`)
    }
    await caseComparison.close()
  }
  const { id, title, version } = server
  return { id, title, version, costs, measuredInMs, score: scoreOf(cases), cases }
}

/** Groups of cases that agree in `mayDisableChecks`. */
function grouped(cases: readonly Case[]): Case[][] {
  return [true, false].flatMap((mayDisableChecks) => {
    const alike = cases.filter((benchCase) => benchCase.mayDisableChecks === mayDisableChecks)
    return Array.from({ length: Math.ceil(alike.length / TOGETHER) }, (_, index) =>
      alike.slice(index * TOGETHER, (index + 1) * TOGETHER),
    )
  })
}

/** Measures the costs as a harness does on its first start. */
async function measured({ running: { url } }: BenchServer): Promise<Costs> {
  const { engine, connection } = await open(url)
  try {
    const { databases } = engine
    if (databases === undefined) throw new Error(`${engine.title} has no server`)
    const scratch = namesFor('bench', databases.maxNameBytes).temporary(newRunId())
    const costs = await measureCosts({ engine, databases, adminUrl: url, temporaryName: scratch }, connection)
    if (costs === undefined) throw new Error(`${engine.title} has no costs`)
    return costs
  } finally {
    await connection.close()
  }
}

/** The remaining time per case, without its set-up time. */
function budget(): number {
  return Math.max(0, (until - Date.now()) / Math.max(1, total - done) - SETUP_MS)
}

function left(): string {
  const ms = ((Date.now() - started) / done) * (total - done)
  return `, about ${clock(Math.min(ms, Math.max(0, until - Date.now())))} left`
}

function say(line: string): void {
  console.error(`[${clock(Date.now() - started)}] ${line}`)
}

function clock(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

function describeVerdict({ chose, best, loss, ...outcome }: Outcome & Verdict): string {
  const times = (['delete', 'truncate'] as const).map(
    (method) => `${method.toUpperCase()} ${roundTo(outcome[method].median, 2)} ms`,
  )
  return `chose ${chose.toUpperCase()}, but ${best.toUpperCase()} is faster: ${times.join(', ')}, loss ${roundTo(loss, 2)}`
}

function describeScore(title: string, { right, of, worstLoss, confusion, autoToBest }: Score): string {
  const share = roundTo((100 * right) / of, 1)
  return `${title}: right in ${right} of ${of} (${share} %), worst loss ${roundTo(worstLoss, 2)}, auto takes ${roundTo(autoToBest, 2)} of the faster method
                     DELETE faster   TRUNCATE faster
  chose DELETE       ${pad(confusion.delete.delete)}   ${pad(confusion.delete.truncate)}
  chose TRUNCATE     ${pad(confusion.truncate.delete)}   ${pad(confusion.truncate.truncate)}`
}

function pad(number: number): string {
  return String(number).padStart(13)
}
