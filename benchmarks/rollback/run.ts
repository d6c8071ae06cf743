/** Compares strategy `rollback` with an ordinary reset: `npm run bench:rollback`. Options: see `USAGE`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machine } from '../../src/bench/machine.ts'
import { interleave, type Summary, summarize } from '../../src/bench/measure.ts'
import { randomFrom } from '../../src/generate/random.ts'
import { createHarness, existing } from '../../src/index.ts'
import { connect } from '../client.ts'
import { dirtyAmong, optionsOf, roundTo, wholeNumber } from '../options.ts'
import { dirtSql, pickDirty, schemaSql } from '../schema.ts'
import { type BenchServer, startBenchServer } from '../servers.ts'

const USAGE = `npm run bench:rollback -- [options]
  --servers LIST   default postgres:18,mysql:9.7,mariadb:11.8
  --tables N       default 100
  --dirty N        tables that a test writes 10 rows to; default 3
  --rows N         rows of the baseline that the other test changes, all of them; default 50000
  --rounds N       default 30; a third of them, at least 3, with the other test
  --out FILE       default benchmarks/rollback/results.json`

const values = optionsOf(USAGE, {
  servers: { type: 'string', default: 'postgres:18,mysql:9.7,mariadb:11.8' },
  tables: { type: 'string', default: '100' },
  dirty: { type: 'string', default: '3' },
  rows: { type: 'string', default: '50000' },
  rounds: { type: 'string', default: '30' },
  out: { type: 'string', default: join(import.meta.dirname, 'results.json') },
})
const tables = wholeNumber(values.tables, 'tables')
const dirty = dirtyAmong(tables, values.dirty)
const rows = wholeNumber(values.rows, 'rows')
const rounds = wholeNumber(values.rounds, 'rounds')

/** The schema and the writes of a test. */
interface Scene {
  readonly title: string
  readonly schema: readonly string[]
  readonly rounds: number
  readonly write: () => string
}

interface Figures {
  readonly scene: string
  /** Milliseconds of `reset`. */
  readonly auto: Summary
  /** Milliseconds of `begin` and `reset` together. */
  readonly rollback: Summary
  /** Ratio of the medians: above 1, `rollback` takes longer. */
  readonly rollbackToAuto: number
}

const results: { server: string; version: string; figures: Figures[] }[] = []
for (const id of values.servers.split(',')) {
  const server = await startBenchServer(id)
  try {
    const figures: Figures[] = []
    for (const scene of scenesOn(server)) figures.push(await measured(server, scene))
    results.push({ server: server.title, version: server.version, figures })
  } finally {
    await server.running.stop()
  }
}
const settings = { tables, dirty, rows, rounds }
const document = { format: 1, date: new Date().toISOString(), machine: machine(), settings, results }
writeFileSync(values.out, `${JSON.stringify(document, null, 1)}\n`)

function scenesOn({ running: { engine } }: BenchServer): Scene[] {
  const random = randomFrom(1)
  const schema = schemaSql(engine, tables)
  return [
    {
      title: `10 rows into ${dirty} of ${tables} tables`,
      schema: [schema],
      rounds,
      write: () => dirtSql(pickDirty(random, tables, dirty)),
    },
    {
      title: `all of ${rows} baseline rows changed`,
      schema: [schema, 'CREATE TABLE large (id int PRIMARY KEY, name varchar(40) NOT NULL)', ...largeSql()],
      rounds: Math.max(3, Math.floor(rounds / 3)),
      write: () => `UPDATE large SET name = 'changed'`,
    },
  ]
}

function largeSql(): string[] {
  const statements: string[] = []
  const atOnce = 10_000
  for (let from = 0; from < rows; from += atOnce) {
    const length = Math.min(atOnce, rows - from)
    const inserted = Array.from({ length }, (_, index) => `(${from + index}, 'row ${from + index}')`)
    statements.push(`INSERT INTO large VALUES ${inserted.join(', ')}`)
  }
  return statements
}

async function measured(server: BenchServer, scene: Scene): Promise<Figures> {
  await using auto = await contender(server, scene, 'auto')
  await using rollback = await contender(server, scene, 'rollback')
  const all = await interleave([auto, rollback], {
    rounds: scene.rounds,
    leastRounds: scene.rounds,
    budgetOf: () => Infinity,
    random: randomFrom(2),
  })
  const summaries = [auto, rollback].map(({ id }) => {
    const found = all.get(id)
    if (found === undefined || found.failure !== undefined) throw found?.failure
    return summarize(found.samples)
  })
  const [ofAuto, ofRollback] = summaries as [Summary, Summary]
  const rollbackToAuto = roundTo(ofRollback.median / ofAuto.median, 2)
  console.log(
    `${server.title}, ${scene.title}: rollback ${roundTo(ofRollback.median)} ms, auto ${roundTo(ofAuto.median)} ms: ${rollbackToAuto}×`,
  )
  await auto.verify()
  await rollback.verify()
  return { scene: scene.title, auto: ofAuto, rollback: ofRollback, rollbackToAuto }
}

async function contender({ running: { url } }: BenchServer, scene: Scene, strategy: 'auto' | 'rollback') {
  const harness = await createHarness({
    server: existing(url),
    project: `bench-${strategy}`,
    fingerprint: scene.title,
    strategy,
    migrate: async (created) => {
      const client = await connect(created.url)
      for (const sql of scene.schema) await client.run(sql)
      await client.close()
    },
  })
  const database = await harness.lease()
  const client = await connect(database.url)
  return {
    id: strategy,
    async round() {
      const begun = strategy === 'rollback' ? await timed(() => database.begin(client.handle)) : 0
      await client.run(scene.write())
      return begun + (await timed(() => database.reset()))
    },
    async verify() {
      const differences = await database.verify()
      if (differences.length > 0) throw new Error(`${strategy}: not at its baseline in the end`)
    },
    async [Symbol.asyncDispose]() {
      await client.close()
      await harness.close()
    },
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await work()
  return performance.now() - begin
}
