/** Compares resets: `npm run bench:reset`. Options: see `USAGE`. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machine } from '../../src/bench/machine.ts'
import { randomFrom } from '../../src/generate/random.ts'
import { optionsOf, wholeNumber, wholeNumbers } from '../options.ts'
import { ensureInstalled, PACKAGES_FOLDER } from '../packages.ts'
import { ROWS_PER_TABLE } from '../schema.ts'
import { ALL_SERVERS, startBenchServer } from '../servers.ts'
import { drawChart } from './chart.ts'
import { type Block, type MatrixOptions, runMatrix } from './matrix.ts'
import type { Method } from './method.ts'
import { OWN_METHODS } from './methods.ts'
import { Progress } from './progress.ts'
import type { Cell, Results, Where } from './results.ts'

const USAGE = `npm run bench:reset -- [options]
  --servers LIST   default ${ALL_SERVERS.join(',')}
  --tables LIST    how many tables the schema has; default 30,100,300,1000
  --dirty LIST     how many of them a test writes to, and 'all'; default 0,1,3,10,all
  --only LIST      methods by their ids; default all
  --no-peers       only afresh, hand-written SQL and SELECT 1: no packages to install
  --rounds N       the most rounds of a cell; default 60
  --budget MS      what a peer may take in a cell; default 500
  --minutes N      for all servers together; when they are up, peers are left out; default 18
  --quick          --rounds 12 --budget 200
  --seed N         of the random order; default 1
  --out DIR        where results.json and chart.svg go; default benchmarks/reset`

const values = optionsOf(USAGE, {
  servers: { type: 'string', default: ALL_SERVERS.join(',') },
  tables: { type: 'string', default: '30,100,300,1000' },
  dirty: { type: 'string', default: '0,1,3,10,all' },
  only: { type: 'string' },
  'no-peers': { type: 'boolean', default: false },
  rounds: { type: 'string' },
  budget: { type: 'string' },
  minutes: { type: 'string', default: '18' },
  quick: { type: 'boolean', default: false },
  seed: { type: 'string', default: '1' },
  out: { type: 'string', default: import.meta.dirname },
})

const started = Date.now()
const seed = wholeNumber(values.seed, 'seed', 0)
const settings = {
  rounds: wholeNumber(values.rounds ?? (values.quick ? '12' : '60'), 'rounds'),
  leastRounds: 3,
  budgetMs: wholeNumber(values.budget ?? (values.quick ? '200' : '500'), 'budget'),
  tooSlowMs: 4000,
  seed,
}
const minutes = wholeNumber(values.minutes, 'minutes', 0)
const tables = wholeNumbers(values.tables, 'tables').toSorted((a, b) => a - b)
const serverIds = values.servers.split(',')
// Not after an hour of measurements.
mkdirSync(values.out, { recursive: true })
const methods = await chosenMethods()
const blocks = [referenceRows(Math.min(...tables)), ...tables.map(emptyBaseline)]
const progress = new Progress(
  serverIds.flatMap((server) => blocks.flatMap((block) => cellsOf(server, block))),
)

const servers: Results['servers'][number][] = []
const cells: Cell[] = []
for (const [index, id] of serverIds.entries()) {
  progress.say(`${id}: starts`)
  const server = await startBenchServer(id)
  servers.push({ id, title: server.title, version: server.version })
  try {
    cells.push(...(await runMatrix(server, blocks, matrixOptions(index))))
  } finally {
    await server.running.stop()
  }
  // After each server, so that an interrupted run keeps its results.
  await write()
}

async function write(): Promise<void> {
  const results: Results = {
    format: 1,
    date: new Date().toISOString(),
    machine: machine(),
    settings: {
      ...settings,
      minutes,
      rowsPerTable: ROWS_PER_TABLE,
      tookSeconds: Math.round((Date.now() - started) / 1000),
    },
    packages: versions(),
    servers,
    methods: methods.map(({ id, label, kind, source, note }) => ({ id, label, kind, source, note })),
    cells,
  }
  writeFileSync(join(values.out, 'results.json'), `${JSON.stringify(results, null, 1)}\n`)
  progress.say(`${cells.length} figures in ${join(values.out, 'results.json')}`)
  writeFileSync(join(values.out, 'chart.svg'), drawChart(results))
}

async function chosenMethods(): Promise<readonly Method[]> {
  const all = values['no-peers'] ? OWN_METHODS : [...OWN_METHODS, ...(await peers())]
  const wanted = values.only?.split(',')
  const unknown = wanted?.filter((id) => !all.some((method) => method.id === id)) ?? []
  if (unknown.length > 0) {
    console.error(
      `--only: no method '${unknown.join("', '")}'; there are ${all.map(({ id }) => id).join(', ')}`,
    )
    process.exit(2)
  }
  return wanted === undefined ? all : all.filter(({ id }) => wanted.includes(id))
}

async function peers(): Promise<readonly Method[]> {
  ensureInstalled()
  // A name that TypeScript does not resolve: the type check of afresh must not need these packages.
  const file: string = './peers/index.ts'
  const { PEERS } = (await import(file)) as { PEERS: readonly Method[] }
  return PEERS
}

function emptyBaseline(count: number): Block {
  const dirty = values.dirty
    .split(',')
    .map((text) => (text === 'all' ? count : wholeNumber(text, 'dirty', 0)))
  const possible = [...new Set(dirty.filter((number) => number <= count))]
  return { tables: count, dirty: possible, baseline: 'empty' }
}

function referenceRows(count: number): Block {
  return { tables: count, dirty: [Math.min(3, count)], baseline: 'reference' }
}

function cellsOf(server: string, block: Block): Where[] {
  return block.dirty.map((dirty) => ({ server, tables: block.tables, dirty, baseline: block.baseline }))
}

/** Time that one server does not use is available to the next. */
function matrixOptions(server: number): MatrixOptions {
  const peersUntil = started + (minutes * 60_000 * (server + 1)) / serverIds.length
  return {
    ...settings,
    peersUntil,
    methods,
    random: randomFrom(seed),
    onCell: (where) => progress.cell(where),
  }
}

/** The versions of all packages that take part. */
function versions(): Record<string, string> {
  const own = ['pg', 'mysql2', 'testcontainers', '@testcontainers/postgresql']
  const names = [...own, ...methods.map(({ source }) => source)]
  const found = names.flatMap((name) => {
    const places = [join(PACKAGES_FOLDER, 'node_modules'), join(PACKAGES_FOLDER, '../node_modules')]
    const file = places.map((folder) => join(folder, name, 'package.json')).find((path) => existsSync(path))
    return file === undefined
      ? []
      : [[name, JSON.parse(readFileSync(file, 'utf8')).version as string] as const]
  })
  return Object.fromEntries(found)
}
