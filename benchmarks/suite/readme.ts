/** Writes the table of whole runs into README.md and docs/performance.md, between two markers: `npm run bench:readme`. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeBetween } from '../markers.ts'
import { optionsOf } from '../options.ts'

const ROOT = join(import.meta.dirname, '../..')

const options = optionsOf('npm run bench:readme -- [--readme FILE] [--page FILE]', {
  readme: { type: 'string', default: join(ROOT, 'README.md') },
  page: { type: 'string', default: join(ROOT, 'docs/performance.md') },
})

interface SuiteResults {
  readonly runner: string
  readonly server: string
  readonly files: number
  readonly tests: number
  readonly tables: number
  readonly workers: number
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string }
  readonly seconds: Readonly<Record<string, readonly number[]>>
}

interface FirstQueryResults {
  readonly milliseconds: Readonly<Record<string, readonly number[]>>
}

const read = <T>(path: string) => JSON.parse(readFileSync(join(ROOT, 'benchmarks', path), 'utf8')) as T
const suites = ['suite/results.json', 'suite/jest-results.json']
  .filter((path) => existsSync(join(ROOT, 'benchmarks', path)))
  .map((path) => read<SuiteResults>(path))
const first = read<FirstQueryResults>('start/first-query.json').milliseconds
const [one] = suites
if (one === undefined) throw new Error('npm run bench:suite has not run')

const ROWS: readonly { readonly title: string; readonly version: string; readonly lacks: string }[] = [
  { title: 'the runner alone, without a database', version: 'alone', lacks: '' },
  {
    title: 'rollback, written by hand',
    version: 'hand-written rollback',
    lacks: 'ids; other connections see nothing',
  },
  { title: '**afresh**', version: 'afresh', lacks: '' },
  {
    title: 'TRUNCATE of all tables, written by hand',
    version: 'hand-written TRUNCATE',
    lacks: 'reference rows',
  },
]

/** Of a version that was not measured. */
const MISSING = '–'

function medianOf(samples: readonly number[] = []): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function secondsOf({ runner, seconds }: SuiteResults, version: string): string {
  const samples = seconds[version === 'alone' ? `${runner} alone` : version]
  return samples === undefined ? MISSING : `${medianOf(samples).toFixed(1)} s`
}

const inSeconds = (samples: readonly number[] | undefined) => `${(medianOf(samples) / 1000).toFixed(2)} s`
const table = [
  `| | ${suites.map(({ runner }) => runner).join(' | ')} | does not restore |`,
  `| --- |${' --: |'.repeat(suites.length)} --- |`,
  ...ROWS.flatMap(({ title, version, lacks }) => {
    const cells = suites.map((suite) => secondsOf(suite, version))
    if (cells.every((cell) => cell === MISSING)) return []
    return `| ${title} | ${cells.join(' | ')} | ${lacks} |`
  }),
].join('\n')
const { files, tests, tables, workers, server, machine } = one
const text = `Whole runs, set-up included: ${files * tests} tests in ${files} files, ${tables} tables, ${workers} workers, the runner's defaults,
${server}.

${table}

From \`node\` to the first answer of embedded PostgreSQL with ${tables} tables: ${inSeconds(first['hand-written'])} for hand-written code
that copies a cluster and migrates, ${inSeconds(first['afresh, warm'])} with afresh in an unchanged project, ${inSeconds(first['afresh, cold'])} the first time.
Medians, ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}.`
writeBetween(options.readme, 'bench:suite', text)
writeBetween(options.page, 'bench:suite', text)
