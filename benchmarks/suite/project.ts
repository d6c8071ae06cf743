/** A test suite that a user could have: with afresh, and with hand-written code for the state of the database. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { jestFiles } from './jest-files.ts'
import { vitestFiles } from './vitest-files.ts'

export interface SuiteSize {
  readonly files: number
  /** In each file. */
  readonly tests: number
  readonly tables: number
  /** Baseline rows, in one table. */
  readonly rows: number
  readonly workers: number
}

/** `alone` is the runner with tests that use no database. */
export const VERSIONS = ['alone', 'hand-written rollback', 'hand-written TRUNCATE', 'afresh'] as const
export type Version = (typeof VERSIONS)[number]

/** What differs between runners: the files of each version, by name, and the beginning of a test file. */
export interface RunnerFiles
  extends Readonly<Record<Version, (size: SuiteSize, url: string) => Readonly<Record<string, string>>>> {
  /** Of test files. */
  readonly extension: string
  readonly imports: string
  readonly importQuery: string
}

export const RUNNERS = { vitest: vitestFiles, jest: jestFiles } as const
export type Runner = keyof typeof RUNNERS

/** Writes the configuration and the tests of a version into a folder in which packages are installed. */
export function writeProject(
  folder: string,
  { runner, version, size, url }: { runner: Runner; version: Version; size: SuiteSize; url: string },
): void {
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  const files = RUNNERS[runner]
  write('schema.sql', schemaOf(size))
  if (version.startsWith('hand-written')) write('setup.mjs', handWrittenSetup(size, url))
  for (const [name, text] of Object.entries(files[version](size, url))) write(name, text)
  for (let file = 0; file < size.files; file++) {
    const text = version === 'alone' ? idleTests(size) : `${files.importQuery}${tests(file, size)}`
    write(`tests/suite-${file}.${files.extension}`, `${files.imports}${text}`)
  }
}

/** All tables but the one with reference rows, before each test, as most do who write it by hand. */
export const truncateSql = ({ tables }: SuiteSize) =>
  `TRUNCATE ${Array.from({ length: tables }, (_, no) => `t${no}`).join(', ')} RESTART IDENTITY CASCADE`

export function schemaOf({ tables, rows }: Pick<SuiteSize, 'tables' | 'rows'>): string {
  const statements = Array.from(
    { length: tables },
    (_, no) => `CREATE TABLE t${no} (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,
      parent integer${no === 0 ? '' : ` REFERENCES t${no - 1} (id)`});`,
  )
  const filled = `CREATE TABLE reference (id integer PRIMARY KEY, name text);
    INSERT INTO reference SELECT n, 'row ' || n FROM generate_series(1, ${rows}) AS n;`
  return [...statements, filled].join('\n')
}

/** Each test needs the baseline: it finds its tables empty, and writes to three of them. */
function tests(file: number, size: SuiteSize): string {
  const bodies = Array.from({ length: size.tests }, (_, no) => {
    const first = (file * size.tests + no) % (size.tables - 2)
    const inserts = [0, 1, 2].map(
      (next) => `  await query("INSERT INTO t${first + next} (name) VALUES ('a'), ('b')")`,
    )
    return `test('no. ${no}', async () => {
${inserts.join('\n')}
  const [row] = await query('SELECT count(*)::int AS n FROM t${first}')
  expect(row.n).toBe(2)
})`
  })
  return `${bodies.join('\n')}\n`
}

function idleTests(size: SuiteSize): string {
  const bodies = Array.from(
    { length: size.tests },
    (_, no) => `test('no. ${no}', () => expect(${no}).toBe(${no}))`,
  )
  return `${bodies.join('\n')}\n`
}

/** The databases of the workers stay from run to run, as they do for most who do this. */
const handWrittenSetup = (size: SuiteSize, url: string) => `import { readFileSync } from 'node:fs'
import pg from 'pg'
export default async function setup() {
  const admin = new pg.Client({ connectionString: ${JSON.stringify(url)} })
  await admin.connect()
  for (let no = 1; no <= ${size.workers}; no++) {
    const { rows } = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', ['by_hand_' + no])
    if (rows.length > 0) continue
    await admin.query('CREATE DATABASE by_hand_' + no)
    const own = new URL(${JSON.stringify(url)})
    own.pathname = '/by_hand_' + no
    const client = new pg.Client({ connectionString: own.href })
    await client.connect()
    await client.query(readFileSync('schema.sql', 'utf8'))
    await client.end()
  }
  await admin.end()
}
`
