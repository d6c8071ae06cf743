import { createHash } from 'node:crypto'
import { summarize } from '../../src/bench/measure.ts'
import { randomFrom, shuffled } from '../../src/generate/random.ts'
import { createHarness, existing, type TestDatabase } from '../../src/index.ts'
import { type Client, connect } from '../client.ts'
import { roundTo } from '../options.ts'
import { type BenchServer, urlOf } from '../servers.ts'
import { serverCpu } from '../workers/cpu.ts'
import type { Shape } from './shape.ts'

/** The cost of one method. */
export interface Cost {
  readonly id: string
  /** Median milliseconds of processor time of the server. */
  readonly cpuMs: number
  /** Median milliseconds elapsed. */
  readonly ms: number
}

export interface Figure {
  readonly server: string
  readonly role: 'superuser' | 'plain'
  readonly shape: string
  readonly dirty: number
  readonly detector: string
  /** Milliseconds until a second database is leased: the copy, and the start of the session. */
  readonly prepareMs: number
  readonly methods: readonly Cost[]
}

interface Options {
  readonly isPlain: boolean
  readonly rounds: number
  readonly dirty: number
}

const WARM_UP = 5
const PLAIN_ROLE = 'bench_plain'

/** The methods take turns in random order, so that other load affects all of them equally. */
export async function measureShape(server: BenchServer, shape: Shape, options: Options): Promise<Figure> {
  const url = options.isPlain ? await plainUrl(server.running.url) : server.running.url
  await using harness = await createHarness({
    server: existing(url),
    project: 'shapes',
    fingerprint: createHash('sha256').update(shape.schema.join(';')).digest('hex'),
    migrate: async ({ url }) => create(url, shape),
  })
  await using first = await harness.lease()
  const began = performance.now()
  await using database = await harness.lease()
  const prepareMs = performance.now() - began
  void first
  const hand = await handDatabase(server.running.url, url, shape)
  try {
    const { costs, detector } = await timed(server, shape, options, { database, handUrl: hand.url })
    return {
      server: server.id,
      role: options.isPlain ? 'plain' : 'superuser',
      shape: shape.id,
      dirty: options.dirty,
      detector,
      prepareMs: roundTo(prepareMs, 1),
      methods: costs,
    }
  } finally {
    await hand.drop()
  }
}

async function timed(
  server: BenchServer,
  shape: Shape,
  options: Options,
  { database, handUrl }: { readonly database: TestDatabase; readonly handUrl: string },
): Promise<{ costs: Cost[]; detector: string }> {
  const { rounds, dirty } = options
  const random = randomFrom(1)
  const cpu = await serverCpu(server)
  const clients = await connectAll(handUrl, database.url)
  let detector = ''
  const reset = async () => {
    const report = await database.reset()
    if (report.notes.length > 0) throw new Error(report.notes.join(' '))
    detector = report.detector
  }
  const methods = methodsOf(shape, options, clients, reset)
  const samples = methods.map(({ id }) => ({ id, cpu: [] as number[], ms: [] as number[] }))
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const method of shuffled(methods, random)) {
      const written = adjacent(random, shape.size, dirty)
      await method.before(written)
      await method.writer?.run(shape.dirt(written))
      await settle()
      const usedBefore = cpu()
      const began = performance.now()
      await method.reset(written)
      const ms = performance.now() - began
      await settle()
      const sample = samples.find(({ id }) => id === method.id)
      if (round < 0) continue
      sample?.cpu.push(cpu() - usedBefore)
      sample?.ms.push(ms)
    }
  }
  for (const client of Object.values(clients)) await client.close()
  const costs = samples.map(({ id, cpu, ms }) => ({
    id,
    cpuMs: roundTo(summarize(cpu).median),
    ms: roundTo(summarize(ms).median),
  }))
  return { costs, detector }
}

interface Clients {
  readonly hand: Client
  readonly floor: Client
  readonly handWriter: Client
  readonly writer: Client
}

async function connectAll(handUrl: string, url: string): Promise<Clients> {
  return {
    hand: await connect(handUrl),
    floor: await connect(handUrl),
    handWriter: await connect(handUrl),
    writer: await connect(url),
  }
}

function methodsOf(
  shape: Shape,
  { isPlain }: Options,
  { hand, floor, handWriter, writer }: Clients,
  reset: () => Promise<void>,
): Method[] {
  const running =
    (client: Client, sql: (written: readonly number[]) => string) => async (w: readonly number[]) => {
      await client.run(sql(w))
    }
  const unchecked = (sql: readonly string[]) =>
    ['BEGIN', 'SET LOCAL session_replication_role = replica', ...sql, 'COMMIT'].join('; ')
  const byHand = { writer: handWriter, before: running(hand, () => 'SELECT 1') }
  return [
    { id: 'afresh', writer, before: reset, reset },
    { id: 'clean', before: reset, reset },
    { id: 'floor', before: running(floor, () => 'SELECT 1'), reset: running(floor, () => 'SELECT 1') },
    { id: 'hand', ...byHand, reset: running(hand, (w) => shape.byHand(w).join('; ')) },
    ...(isPlain
      ? []
      : [{ id: 'hand-unchecked', ...byHand, reset: running(hand, (w) => unchecked(shape.byHand(w))) }]),
  ]
}

interface Method {
  readonly id: string
  /** Writes what the test writes. */
  readonly writer?: Client
  /** Runs untimed before the writes: the connection is warm, and sees what others wrote. */
  before(written: readonly number[]): Promise<void>
  reset(written: readonly number[]): Promise<void>
}

/** The processor time of a process counts when it sleeps. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 2))

function adjacent(random: ReturnType<typeof randomFrom>, size: number, dirty: number): number[] {
  const first = random.int(0, size - dirty)
  return Array.from({ length: dirty }, (_, index) => first + index)
}

async function create(url: string, { schema }: Shape): Promise<void> {
  const client = await connect(url)
  for (const sql of schema) await client.run(sql)
  await client.close()
}

async function handDatabase(adminUrl: string, url: string, shape: Shape) {
  const admin = await connect(adminUrl)
  const owner = new URL(url).username
  await admin.run(`DROP DATABASE IF EXISTS bench_hand WITH (FORCE)`)
  await admin.run(`CREATE DATABASE bench_hand OWNER ${owner}`)
  const handUrl = urlOf(url, 'bench_hand')
  await create(handUrl, shape)
  return {
    url: handUrl,
    drop: async () => {
      await admin.run('DROP DATABASE bench_hand WITH (FORCE)')
      await admin.close()
    },
  }
}

async function plainUrl(url: string): Promise<string> {
  const client = await connect(url)
  await client.run(
    `DO $$ BEGIN CREATE ROLE ${PLAIN_ROLE} LOGIN CREATEDB PASSWORD 'plain'; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
  )
  await client.close()
  const plain = new URL(url)
  plain.username = PLAIN_ROLE
  plain.password = 'plain'
  return plain.toString()
}
