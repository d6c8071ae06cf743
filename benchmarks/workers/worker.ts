/** A worker of run.ts: runs commands from messages, in a separate process like that of a test runner. */
import { setTimeout as sleep } from 'node:timers/promises'
import { randomFrom } from '../../src/generate/random.ts'
import { type HarnessHandle, join } from '../../src/index.ts'
import type { ServerEngine } from '../../src/server/server.ts'
import { type Client, connect } from '../client.ts'
import { handSql } from '../reset/methods.ts'
import { dirtSql, pickDirty, tableNames } from '../schema.ts'

export interface Start {
  readonly handle: HarnessHandle
  readonly number: number
  readonly tables: number
  readonly dirty: number
  readonly rows: number
}

export type Order =
  | { readonly do: 'write' | 'reset' | 'hand' | 'stop' }
  | { readonly do: 'loop'; readonly forMs: number }

/** The cost of a reset: `ms` elapsed, `cpuMs` of this process. */
export interface ResetFigures {
  readonly ms: number
  readonly cpuMs: number
  /** `wal: the reason`. */
  readonly detector: string
}

export interface LoopFigures {
  readonly resets: number
  /** Rows of other workers that this worker found. */
  readonly foreign: readonly string[]
  readonly detectors: readonly string[]
}

const start = await new Promise<Start>((resolve) => process.once('message', resolve))
const random = randomFrom(start.number)
const name = `worker ${start.number}`
const database = await join(start.handle, { slot: start.number })
let written: number[] = []
const client: Client = await connect(database.url)
const isEmpty = tableNames(start.tables)
  .map((table) => `SELECT '${table}' AS place, name FROM ${table}`)
  .join(' UNION ALL ')

process.on('message', (order: Order) => {
  obey(order).then(
    (answer) => process.send?.({ done: answer }),
    (error) => process.send?.({ failed: String(error?.stack ?? error) }),
  )
})
process.send?.({ done: 'ready' })

async function obey(order: Order): Promise<ResetFigures | LoopFigures | undefined> {
  switch (order.do) {
    case 'write':
      await write()
      return undefined
    case 'reset':
      return reset()
    case 'hand':
      return handWritten()
    case 'loop':
      return loop(order.forMs)
    case 'stop':
      await client.close()
      await database.release()
      return undefined
  }
}

async function write(): Promise<void> {
  written = pickDirty(random, start.tables, start.dirty)
  await client.run(dirtSql(written, { rows: start.rows, name }))
}

function reset(): Promise<ResetFigures> {
  return timed(async () => {
    const { detector, why } = await database.reset()
    // Without figures such as bytes and rows.
    return `${detector}: ${why.replace(/ \(.*\d.*\)$/, '')}`
  })
}

/** The cost of many workers that is due to the machine: the same test, reset with hand-written SQL. */
function handWritten(): Promise<ResetFigures> {
  const sql = handSql(engineOf(start.handle), written)
  return timed(async () => {
    await client.run(sql)
    return 'hand-written'
  })
}

async function timed(work: () => Promise<string>): Promise<ResetFigures> {
  const cpu = process.cpuUsage()
  const begin = performance.now()
  const detector = await work()
  const ms = performance.now() - begin
  const { user, system } = process.cpuUsage(cpu)
  return { ms, cpuMs: (user + system) / 1000, detector }
}

function engineOf({ engine }: HarnessHandle): ServerEngine {
  return engine as ServerEngine
}

/** Runs at its own pace, as tests do, and checks for rows of other workers before and after each reset. */
async function loop(forMs: number): Promise<LoopFigures> {
  const foreign: string[] = []
  const detectors: string[] = []
  const until = performance.now() + forMs
  let resets = 0
  while (performance.now() < until) {
    await write()
    await sleep(random.int(0, 5))
    foreign.push(...(await rows()).filter((row) => !row.endsWith(`: ${name}`)))
    detectors.push((await reset()).detector)
    foreign.push(...(await rows()))
    resets++
  }
  const { length } = await database.verify()
  if (length > 0) foreign.push(`${length} differences from the baseline in the end`)
  return { resets, foreign, detectors }
}

async function rows(): Promise<string[]> {
  return (await client.run(isEmpty)).map((row) => `${row.place}: ${row.name}`)
}
