/** Whole runs of a test suite, with afresh and without: `npm run bench:suite`. Options: see `USAGE`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machine } from '../../src/bench/machine.ts'
import { Consumer, pack, unpack } from '../../test/runner/consumer.ts'
import { optionsOf, roundTo, wholeNumber } from '../options.ts'
import { startBenchServer } from '../servers.ts'
import { RUNNERS, type Runner, type SuiteSize, VERSIONS, type Version, writeProject } from './project.ts'

const USAGE = `npm run bench:suite -- [options]
  --runner NAME    vitest or jest; default vitest
  --server ID      PostgreSQL; default postgres:18
  --files N        test files; default 20
  --tests N        tests in each of them; default 10
  --tables N       default 140
  --rows N         baseline rows; default 0
  --workers N      default 2
  --rounds N       runs of each version, in turns; default 7
  --tarball FILE   an afresh that is packed already, such as an earlier one
  --out FILE       default benchmarks/suite/results.json, with jest jest-results.json`

const values = optionsOf(USAGE, {
  runner: { type: 'string', default: 'vitest' },
  server: { type: 'string', default: 'postgres:18' },
  files: { type: 'string', default: '20' },
  tests: { type: 'string', default: '10' },
  tables: { type: 'string', default: '140' },
  rows: { type: 'string', default: '0' },
  workers: { type: 'string', default: '2' },
  rounds: { type: 'string', default: '7' },
  tarball: { type: 'string' },
  out: { type: 'string' },
})
const runner = values.runner as Runner
if (!Object.hasOwn(RUNNERS, runner)) throw new Error(`--runner ${runner}: vitest or jest`)
const name = { vitest: 'results.json', jest: 'jest-results.json' }[runner]
const out = values.out ?? join(import.meta.dirname, name)
const packages = { vitest: 'vitest@~4.1', jest: 'jest@~30.4' }[runner]
const size: SuiteSize = {
  files: wholeNumber(values.files, 'files'),
  tests: wholeNumber(values.tests, 'tests'),
  tables: wholeNumber(values.tables, 'tables', 3),
  rows: wholeNumber(values.rows, 'rows', 0),
  workers: wholeNumber(values.workers, 'workers'),
}
const rounds = wholeNumber(values.rounds, 'rounds')

const server = await startBenchServer(values.server)
const tarball = values.tarball ?? (await pack())
const installed = await Consumer.empty([tarball, packages, 'pg'])
const projects = VERSIONS.map((version) => {
  const consumer = installed.copy()
  writeProject(consumer.folder, { runner, version, size, url: server.running.url })
  return { version, consumer }
})

const titleOf = (version: Version) => (version === 'alone' ? `${runner} alone` : version)

async function secondsOf(version: Version, consumer: Consumer): Promise<number> {
  const begin = performance.now()
  const { exitCode, output } = await (runner === 'vitest' ? consumer.vitest() : consumer.jest())
  const seconds = (performance.now() - begin) / 1000
  const passed = Number(/^ *Tests:? +(\d+) passed/m.exec(output)?.[1])
  if (exitCode !== 0 || passed !== size.files * size.tests) throw new Error(`${titleOf(version)}:\n${output}`)
  return seconds
}

try {
  const times = new Map<Version, number[]>(VERSIONS.map((version) => [version, []]))
  // The first round builds the templates and fills caches.
  for (let round = 0; round <= rounds; round++) {
    for (const { version, consumer } of projects) {
      const seconds = await secondsOf(version, consumer)
      if (round > 0) times.get(version)?.push(roundTo(seconds))
    }
    console.error(`round ${round} of ${rounds}`)
  }
  const median = (version: Version) => {
    const sorted = (times.get(version) ?? []).toSorted((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  }
  for (const version of VERSIONS) {
    const seconds = (times.get(version) ?? []).map((time) => time.toFixed(2))
    console.log(`${titleOf(version)}: ${median(version).toFixed(2)} s (${seconds.join(' / ')})`)
  }
  const ratio = median('afresh') / median('hand-written rollback')
  console.log(`afresh takes ${ratio.toFixed(2)} times as long as a hand-written rollback`)
  const results = {
    machine: machine(),
    runner,
    server: server.title,
    ...size,
    seconds: Object.fromEntries([...times].map(([version, seconds]) => [titleOf(version), seconds])),
    ratio: roundTo(ratio),
  }
  writeFileSync(out, `${JSON.stringify(results, null, 2)}\n`)
} finally {
  for (const { consumer } of projects) consumer.remove()
  installed.remove()
  if (values.tarball === undefined) unpack(tarball)
  await server.running.stop()
}
