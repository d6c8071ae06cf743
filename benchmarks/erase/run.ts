/**
 * Measures the deletion of selected rows and everything that refers to them: `npm run bench:erase`. Options:
 * see `USAGE`.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machine } from '../../src/bench/machine.ts'
import { randomFrom } from '../../src/generate/random.ts'
import { optionsOf, wholeNumber, wholeNumbers } from '../options.ts'
import { ensureInstalled, PACKAGES_FOLDER } from '../packages.ts'
import { measureCell } from './cell.ts'
import type { MethodInfo } from './method.ts'
import { METHODS } from './methods/index.ts'
import { generatePrisma } from './prisma/generate.ts'
import {
  type Cell,
  hasSetting,
  mergeRun,
  type Results,
  type ServerInfo,
  type Setting,
  withCells,
} from './results.ts'
import { type EraseTarget, openTarget } from './target.ts'
import { MOST_LEVELS, SHAPES, type Shape } from './tree.ts'

const SERVERS = 'postgres:18,mysql:9.7,mariadb:11.8,sqlite'
const USAGE = `npm run bench:erase -- [options]
  --servers LIST   default ${SERVERS}
  --rows LIST      how many rows go, in all tables together; default 1000,10000,100000,1000000
  --depth LIST     how many tables there are; default 1,2,3,4,5
  --shapes LIST    ${SHAPES.join(', ')}; default fan
  --methods LIST   default ${METHODS.map(({ id }) => id).join(',')}
  --rounds N       the most rounds of a cell; default 7
  --budget S       seconds after which a loop or an ORM is stopped, to run with no more rows either; a method whose
                   rounds take longer, putting back included, gets one; default 120
  --resume         leave out cells that have all these methods already
  --seed N         of the random order; default 1
  --out FILE       what is there already is kept, but for what is measured again; default benchmarks/erase/results.json`

const values = optionsOf(USAGE, {
  servers: { type: 'string', default: SERVERS },
  rows: { type: 'string', default: '1000,10000,100000,1000000' },
  depth: { type: 'string', default: '1,2,3,4,5' },
  shapes: { type: 'string', default: 'fan' },
  methods: { type: 'string' },
  rounds: { type: 'string', default: '7' },
  budget: { type: 'string', default: '120' },
  resume: { type: 'boolean', default: false },
  seed: { type: 'string', default: '1' },
  out: { type: 'string', default: join(import.meta.dirname, 'results.json') },
})
const sizes = wholeNumbers(values.rows, 'rows', MOST_LEVELS).toSorted((a, b) => a - b)
const depths = wholeNumbers(values.depth, 'depth')
if (depths.some((depth) => depth > MOST_LEVELS)) refuse('depth', values.depth, `at most ${MOST_LEVELS}`)
const shapes = values.shapes.split(',').map(shapeNamed)
const methods = methodsNamed(values.methods)
const rounds = wholeNumber(values.rounds, 'rounds')
const budgetSeconds = wholeNumber(values.budget, 'budget')
const seed = wholeNumber(values.seed, 'seed', 0)
const random = randomFrom(seed)

if (methods.some(({ kind }) => kind === 'orm')) ensureInstalled()
if (methods.some(({ id }) => id === 'prisma')) generatePrisma()
const servers: ServerInfo[] = []
let results = begin()
const run = results.runs.length - 1
for (const id of values.servers.split(',')) {
  console.error(`${id}: starts`)
  await using target = await openTarget(id)
  servers.push(target.server)
  for (const shape of shapes) for (const depth of depths) await measureSizes(target, shape, depth)
}

/** Increases the number of rows. A method that is too slow is left out from then on. */
async function measureSizes(target: EraseTarget, shape: Shape, depth: number): Promise<void> {
  const leftOut = new Map<string, string>()
  for (const rows of sizes) {
    const where: Setting = { server: target.server.id, shape, depth, rows }
    const applicable = methods.filter(({ engines }) => engines.includes(target.engine))
    const cells = results.cells.filter((cell) => hasSetting(cell, where))
    const isThere =
      values.resume && applicable.every((method) => cells.some((cell) => cell.method === method.id))
    const measured = isThere ? cells : await measure(target, where, applicable, leftOut)
    if (measured.some((cell) => cell.outcome === 'failed' && !mayFail(cell))) process.exitCode = 1
    for (const cell of measured) {
      if (cell.outcome === 'over the budget') leftOut.set(cell.method, `over the budget with ${rows} rows`)
      if (cell.outcome === 'failed') leftOut.set(cell.method, `failed with ${rows} rows: ${cell.reason}`)
    }
  }
}

/** A failure of another tool is a result. A failure of afresh or hand-written SQL is an error. */
function mayFail({ method }: Cell): boolean {
  const kind = methods.find(({ id }) => id === method)?.kind
  return kind !== 'afresh' && kind !== 'hand'
}

async function measure(
  target: EraseTarget,
  where: Setting,
  applicable: readonly MethodInfo[],
  leftOut: ReadonlyMap<string, string>,
): Promise<Cell[]> {
  const { shape, depth, rows } = where
  const able = applicable.filter(({ id }) => !leftOut.has(id))
  const tree = { shape, depth, rows }
  const options = { rounds, budgetSeconds, random }
  const outcomes = await measureCell(await target.database(), target.engine, tree, able, options)
  const cells = applicable.map((method): Cell => {
    const outcome = outcomes.get(method.id)
    const reason = leftOut.get(method.id) ?? 'nobody knows'
    return { ...where, method: method.id, run, ...(outcome ?? { outcome: 'not run', reason }) }
  })
  for (const cell of cells) console.log(inWords(cell))
  results = withCells(results, where, cells)
  write()
  return cells
}

function begin(): Results {
  const before = existsSync(values.out)
    ? (JSON.parse(readFileSync(values.out, 'utf8')) as Results)
    : undefined
  return mergeRun(
    before,
    {
      date: new Date().toISOString(),
      machine: machine(),
      settings: { rounds, budgetSeconds, seed },
      packages: versions(),
      servers,
    },
    METHODS,
  )
}

/** After each cell, so that an interrupted run keeps its results. */
function write(): void {
  writeFileSync(values.out, `${JSON.stringify(results, null, 1)}\n`)
}

function inWords(cell: Cell): string {
  const { server, shape, depth, rows, method } = cell
  const what = `${server} ${shape} ${depth} ${String(rows).padStart(8)}  ${method.padEnd(12)}`
  if (cell.outcome !== 'measured') return `${what} ${cell.outcome}: ${cell.reason}`
  const { median, q1, q3, n, toHandWritten, roundTrips, readyRssMb, peakRssMb } = cell
  const ratio = toHandWritten === undefined ? '' : `, ${toHandWritten}× hand-written SQL`
  const trips = roundTrips === undefined ? '' : `, ${roundTrips} round trips`
  return `${what} ${median} ms (${q1}–${q3}, n ${n})${ratio}${trips}, ${readyRssMb} → ${peakRssMb} MB`
}

function methodsNamed(list: string | undefined): readonly MethodInfo[] {
  const wanted = list?.split(',')
  const unknown = wanted?.filter((id) => !METHODS.some((method) => method.id === id)) ?? []
  if (unknown.length > 0) refuse('methods', unknown.join(), `among ${METHODS.map(({ id }) => id).join(', ')}`)
  return wanted === undefined ? METHODS : METHODS.filter(({ id }) => wanted.includes(id))
}

function shapeNamed(name: string): Shape {
  return SHAPES.find((shape) => shape === name) ?? refuse('shapes', name, `among ${SHAPES.join(', ')}`)
}

function refuse(name: string, text: string, wanted: string): never {
  console.error(`--${name}: '${text}' is not ${wanted}`)
  process.exit(2)
}

/** The versions of all packages that take part. */
function versions(): Record<string, string> {
  const names = ['pg', 'mysql2', 'better-sqlite3', ...methods.map(({ source }) => source)]
  const found = names.flatMap((name): [string, string][] => {
    const places = [join(PACKAGES_FOLDER, 'node_modules'), join(PACKAGES_FOLDER, '../node_modules')]
    const file = places.map((folder) => join(folder, name, 'package.json')).find((path) => existsSync(path))
    return file === undefined
      ? []
      : [[name, (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version]]
  })
  return Object.fromEntries(found)
}
