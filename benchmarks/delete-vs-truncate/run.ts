/**
 * Measures DELETE against TRUNCATE for docs/delete-vs-truncate.md: `npm run bench:delete-vs-truncate`. Options:
 * see `USAGE`. What was measured before is kept: the same command continues.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { measureMatrix } from '../../src/bench/matrix.ts'
import { type BenchResults, parseResults } from '../../src/bench/results.ts'
import { type Target, targetOf } from '../../src/bench/target.ts'
import { optionsOf, wholeNumber } from '../options.ts'
import { describeServer } from '../servers.ts'
import { serverCpu } from '../workers/cpu.ts'
import { EXPERIMENTS, type Experiment, type ExperimentServer, MAIN } from './experiments.ts'

const USAGE = `npm run bench:delete-vs-truncate -- [options]
  --only LIST      experiments; default ${MAIN.join(',')} (the main table), or \`all\`:
${EXPERIMENTS.map(({ name, about }) => `                   ${name.padEnd(17)} ${about}`).join('\n')}
  --servers LIST   images: only these
  --rows N         no more rows than this
  --rounds N       at most so many rounds; default 30
  --minutes N      begins no further experiment on a server after so many minutes
  --fresh          measures again what is there already
  --out DIR        where NAME.json goes for each experiment; default benchmarks/delete-vs-truncate/results`

const values = optionsOf(USAGE, {
  only: { type: 'string', default: MAIN.join(',') },
  servers: { type: 'string' },
  rows: { type: 'string' },
  rounds: { type: 'string', default: '30' },
  minutes: { type: 'string' },
  fresh: { type: 'boolean', default: false },
  out: { type: 'string', default: join(import.meta.dirname, 'results') },
})

const began = performance.now()
const rounds = wholeNumber(values.rounds, 'rounds')
const wanted = EXPERIMENTS.filter(
  ({ name }) => values.only === 'all' || values.only.split(',').includes(name),
)
if (wanted.length === 0) throw new Error(`no such experiment: ${values.only}\n\n${USAGE}`)
mkdirSync(values.out, { recursive: true })
for (const experiment of wanted) await measure(experiment)
console.log(`took ${((performance.now() - began) / 60_000).toFixed(1)} minutes`)

async function measure({ name, rows, cases, servers }: Experiment): Promise<void> {
  const file = join(values.out, `${name}.json`)
  const most = Number(values.rows ?? Number.POSITIVE_INFINITY)
  let previous = values.fresh ? undefined : read(file)
  for (const server of servers) {
    if (values.servers !== undefined && !values.servers.split(',').includes(server.image)) continue
    if ((performance.now() - began) / 60_000 > Number(values.minutes ?? Number.POSITIVE_INFINITY)) return
    previous = await measureMatrix({
      targets: [withCpu(server)],
      rows: rows.filter((count) => count <= most),
      cases,
      methods: ['delete', 'truncate'],
      rounds,
      leastRounds: Math.min(15, rounds),
      budgetMs: 1000,
      limitMs: 600_000,
      seed: 1,
      observe: false,
      previous,
      onProgress: (line) => console.log(`${name}: ${line}`),
      onBlock: async (results) => write(file, results),
    })
  }
}

/** A target whose server reports its processor time, as far as this machine lets one read it. */
function withCpu({ image, set }: ExperimentServer): Target {
  const target = targetOf(image, [], set)
  return {
    ...target,
    async open(storage, onProgress) {
      const opened = await target.open(storage, onProgress)
      const { running, title, benchServer } = opened
      if (running === undefined) return opened
      const cpuMs = await serverCpu(await describeServer(image, running)).catch(() => undefined)
      const settings = Object.entries(set ?? {}).map(([name, value]) => `${name}=${value}`)
      return {
        ...opened,
        title: [title, ...settings].join(', '),
        benchServer: { ...benchServer, cpuMs, calibrate: async () => {} },
      }
    },
  }
}

function read(file: string): BenchResults | undefined {
  try {
    return parseResults(readFileSync(file, 'utf8'), file)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function write(file: string, results: BenchResults): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(results)}\n`)
  renameSync(`${file}.new`, file)
}
