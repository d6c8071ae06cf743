/** One more migration, and other fixtures, beside a start that migrates from the beginning. Options: see `USAGE`. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { machine } from '../../src/bench/machine.ts'
import { createHarness, embedded, existing } from '../../src/index.ts'
import { median } from '../../src/util/median.ts'
import { optionsOf, roundTo, wholeNumber } from '../options.ts'
import { startBenchServer } from '../servers.ts'

const USAGE = `npm run bench:one-more-migration -- [options]
  --servers LIST   embedded, and images, whose server is used as an existing one; default embedded,postgres:18
  --tables N       default 140
  --files N        migrations; default 40
  --rounds N       starts of each version, in turns; default 7
  --out FILE       default benchmarks/start/one-more-migration.json`

const values = optionsOf(USAGE, {
  servers: { type: 'string', default: 'embedded,postgres:18' },
  tables: { type: 'string', default: '140' },
  files: { type: 'string', default: '40' },
  rounds: { type: 'string', default: '7' },
  out: { type: 'string', default: join(import.meta.dirname, 'one-more-migration.json') },
})
const tables = wholeNumber(values.tables, 'tables')
const files = wholeNumber(values.files, 'files')
const rounds = wholeNumber(values.rounds, 'rounds')

const folder = mkdtempSync(join(tmpdir(), 'afresh-one-more-'))
chmodSync(folder, 0o755)
for (const name of ['migrations', 'fixtures']) mkdirSync(join(folder, name))
const cache = join(folder, 'cache')
process.env.AFRESH_CACHE_DIR = cache

/** Each file makes its share of the tables, and changes one of an earlier file. */
function migration(no: number): string {
  const first = Math.floor((no * tables) / files)
  const end = Math.floor(((no + 1) * tables) / files)
  const created = Array.from(
    { length: end - first },
    (_, index) => `CREATE TABLE t${first + index} (id integer PRIMARY KEY, name varchar(100) NOT NULL,
      parent integer${first + index === 0 ? '' : `, FOREIGN KEY (parent) REFERENCES t${first + index - 1} (id)`});`,
  )
  const changed = no === 0 ? [] : [`ALTER TABLE t${first - 1} ADD COLUMN added${no} varchar(20);`]
  return [...created, ...changed, `CREATE INDEX by_name_${no} ON t${first} (name);`].join('\n')
}

const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
const writeFirst = (comment: string) => write('migrations/0.sql', `${migration(0)}\n-- ${comment}\n`)
for (let no = 0; no < files; no++) write(`migrations/${no}.sql`, migration(no))
const last = `migrations/${files}.sql`

interface Version {
  /** Changes what the version is about. */
  readonly change: (round: number) => void
  readonly withFixtures: boolean
}

const VERSIONS: Readonly<Record<string, Version>> = {
  'from the beginning': { change: (round) => writeFirst(`changed in ${round}`), withFixtures: false },
  'one more migration': {
    change: (round) => write(last, `CREATE TABLE one_more (id integer PRIMARY KEY); -- ${round}\n`),
    withFixtures: false,
  },
  'from the beginning, with fixtures': {
    change: (round) => writeFirst(`changed again in ${round}`),
    withFixtures: true,
  },
  'other fixtures': {
    change: (round) => write('fixtures/t0.csv', `id,name\n${round},x\n`),
    withFixtures: true,
  },
}

async function millisecondsOf(
  server: Parameters<typeof createHarness>[0],
  project: string,
  withFixtures: boolean,
) {
  const began = performance.now()
  const harness = await createHarness({
    ...server,
    project,
    cwd: folder,
    migrate: 'migrations',
    ...(withFixtures && { fixtures: 'fixtures' }),
  })
  const ms = performance.now() - began
  await harness.close()
  return ms
}

async function measure(server: Parameters<typeof createHarness>[0]) {
  const times = new Map<string, number[]>(Object.keys(VERSIONS).map((name) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const [name, { change, withFixtures }] of Object.entries(VERSIONS)) {
      // What the developer had before the change; others have been built since then.
      rmSync(join(folder, last), { force: true })
      writeFirst('')
      write('fixtures/t0.csv', 'id,name\n1,x\n')
      // Of its own: another version's templates take no place from it.
      const project = `bench ${name}`
      await millisecondsOf(server, project, withFixtures)
      change(round + 2)
      const ms = await millisecondsOf(server, project, withFixtures)
      if (round > 0) times.get(name)?.push(roundTo(ms, 1))
    }
  }
  const medianOf = (name: string) => median(times.get(name) ?? []) ?? Number.NaN
  const ratios = {
    'one more migration': roundTo(medianOf('one more migration') / medianOf('from the beginning')),
    'other fixtures': roundTo(medianOf('other fixtures') / medianOf('from the beginning, with fixtures')),
  }
  return { milliseconds: Object.fromEntries(times), ratios }
}

async function measureOn(id: string) {
  if (id === 'embedded') return measure({ server: embedded() })
  const { running } = await startBenchServer(id)
  try {
    return await measure({ server: existing(running.url) })
  } finally {
    await running.stop()
  }
}

try {
  const results: Record<string, unknown> = {}
  for (const id of values.servers.split(',')) {
    const { milliseconds, ratios } = await measureOn(id)
    results[id] = { milliseconds, ratios }
    for (const [name, times] of Object.entries(milliseconds)) {
      console.log(`${id}, ${name}: ${median(times)?.toFixed(0)} ms`)
    }
    for (const [name, ratio] of Object.entries(ratios)) console.log(`${id}, ${name}: ${ratio} times`)
  }
  writeFileSync(
    values.out,
    `${JSON.stringify({ machine: machine(), tables, files, servers: results }, null, 2)}\n`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
}
