/** From `node` to the first answer of a migrated database: `npm run bench:first-query`. Options: see `USAGE`. */
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { machine } from '../../src/bench/machine.ts'
import { findBinaries } from '../../src/server/embedded/binaries.ts'
import { unprivilegedUser } from '../../src/server/embedded/unprivileged-user.ts'
import { optionsOf, roundTo, wholeNumber } from '../options.ts'
import { schemaOf } from '../suite/project.ts'

const USAGE = `npm run bench:first-query -- [options]
  --tables N       default 140
  --rows N         fixture rows, in one table; default 0
  --rounds N       starts of each version, in turns; default 7
  --out FILE       default benchmarks/start/first-query.json`

const ROOT = join(import.meta.dirname, '../..')

const values = optionsOf(USAGE, {
  tables: { type: 'string', default: '140' },
  rows: { type: 'string', default: '0' },
  rounds: { type: 'string', default: '7' },
  out: { type: 'string', default: join(import.meta.dirname, 'first-query.json') },
})
const tables = wholeNumber(values.tables, 'tables', 3)
const rows = wholeNumber(values.rows, 'rows', 0)
const rounds = wholeNumber(values.rounds, 'rounds')

const account = unprivilegedUser()
const binaries = await findBinaries(account)
const folder = mkdtempSync(join(tmpdir(), 'afresh-first-query-'))
chmodSync(folder, 0o755)

/** Milliseconds from the start of node to the answer. */
function timeOf(script: string, args: readonly string[], cache: string): number {
  // Within the checkout, where `afresh` and `pg` are found.
  const path = join(import.meta.dirname, script)
  const env = { ...process.env, AFRESH_CACHE_DIR: cache }
  return Number(execFileSync(process.execPath, [path, ...args], { cwd: ROOT, env, encoding: 'utf8' }))
}

try {
  const schema = join(folder, 'schema.sql')
  writeFileSync(schema, schemaOf({ tables, rows }))
  const cluster = join(folder, 'cluster')
  mkdirSync(cluster, { mode: 0o700 })
  if (account !== undefined) chownSync(cluster, account.uid, account.gid)
  const initdb = [
    '-D',
    cluster,
    '--username=postgres',
    '--auth=trust',
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
  ]
  execFileSync(binaries.initdb, initdb, { ...account, cwd: folder, stdio: 'ignore' })

  const handWritten = () =>
    timeOf(
      'first-query-hand-written.mjs',
      [cluster, dirname(binaries.postgres), schema, `${account?.uid ?? ''}`],
      folder,
    )
  const warmCache = join(folder, 'warm')
  const versions = {
    'hand-written': handWritten,
    'afresh, cold': () => {
      const cache = mkdtempSync(join(folder, 'cold-'))
      chmodSync(cache, 0o755)
      // What initdb takes is not compared: the hand-written code did it before.
      return timeOf('first-query-afresh.mjs', [schema], cache)
    },
    'afresh, warm': () => timeOf('first-query-afresh.mjs', [schema], warmCache),
  }
  const times = new Map<string, number[]>(Object.keys(versions).map((name) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const [name, start] of Object.entries(versions)) {
      const ms = start()
      if (round > 0) times.get(name)?.push(roundTo(ms))
    }
  }
  const median = (name: string) => {
    const sorted = (times.get(name) ?? []).toSorted((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  }
  for (const name of times.keys()) {
    const ratio = median(name) / median('hand-written')
    console.log(`${name}: ${median(name).toFixed(0)} ms, ${ratio.toFixed(2)} times hand-written`)
  }
  const results = {
    machine: machine(),
    server: `PostgreSQL ${binaries.version} embedded`,
    tables,
    rows,
    milliseconds: Object.fromEntries(times),
  }
  writeFileSync(values.out, `${JSON.stringify(results, null, 2)}\n`)
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
}
