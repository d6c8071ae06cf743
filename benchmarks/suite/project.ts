/** A test suite that a user could have, in two versions: with afresh, and with a transaction written by hand. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface SuiteSize {
  readonly files: number
  /** In each file. */
  readonly tests: number
  readonly tables: number
  /** Baseline rows, in one table. */
  readonly rows: number
  readonly workers: number
}

export const VERSIONS = ['vitest alone', 'rollback by hand', 'afresh'] as const
export type Version = (typeof VERSIONS)[number]

/** Writes the configuration and the tests of a version into a folder in which packages are installed. */
export function writeProject(folder: string, version: Version, size: SuiteSize, url: string): void {
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  write('schema.sql', schemaOf(size))
  for (const [name, text] of Object.entries(FILES[version](size, url))) write(name, text)
  for (let file = 0; file < size.files; file++) {
    write(`tests/suite-${file}.test.mjs`, version === 'vitest alone' ? idleTests(size) : tests(file, size))
  }
}

function schemaOf({ tables, rows }: SuiteSize): string {
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
  return `import { expect, test } from 'vitest'\nimport { query } from '../db.mjs'\n${bodies.join('\n')}\n`
}

function idleTests(size: SuiteSize): string {
  const bodies = Array.from(
    { length: size.tests },
    (_, no) => `test('no. ${no}', () => expect(${no}).toBe(${no}))`,
  )
  return `import { expect, test } from 'vitest'\n${bodies.join('\n')}\n`
}

const config = ({ workers }: SuiteSize, options: string) =>
  `export default { test: { maxWorkers: ${workers}, hookTimeout: 60000, testTimeout: 60000${options} } }\n`

const FILES: Readonly<Record<Version, (size: SuiteSize, url: string) => Record<string, string>>> = {
  'vitest alone': (size) => ({ 'vitest.config.mjs': config(size, '') }),
  afresh: (size, url) => ({
    'vitest.config.mjs': config(
      size,
      ", globalSetup: ['afresh/vitest/global-setup'], setupFiles: ['afresh/vitest/reset']",
    ),
    'afresh.config.mjs': `export default { server: ${JSON.stringify(url)}, migrate: 'schema.sql' }\n`,
    'db.mjs': `import pg from 'pg'
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1 })
pool.on('error', () => {})
export const query = async (sql) => (await pool.query(sql)).rows
`,
  }),
  // The databases of the workers stay from run to run, as they do for most who do this.
  'rollback by hand': (size, url) => ({
    'vitest.config.mjs': config(size, ", globalSetup: ['./setup.mjs'], setupFiles: ['./each.mjs']"),
    'setup.mjs': `import { readFileSync } from 'node:fs'
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
`,
    'each.mjs': `import { afterAll, afterEach, beforeEach } from 'vitest'
import { client } from './db.mjs'
beforeEach(async () => void (await client.query('BEGIN')))
afterEach(async () => void (await client.query('ROLLBACK')))
afterAll(() => client.end())
`,
    'db.mjs': `import pg from 'pg'
const url = new URL(${JSON.stringify(url)})
url.pathname = '/by_hand_' + process.env.VITEST_POOL_ID
export const client = new pg.Client({ connectionString: url.href })
await client.connect()
export const query = async (sql) => (await client.query(sql)).rows
`,
  }),
}
