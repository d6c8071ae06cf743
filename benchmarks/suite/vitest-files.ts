/** The suite's files for vitest. */
import { type RunnerFiles, type SuiteSize, truncateSql } from './project.ts'

const config = ({ workers }: SuiteSize, options: string) =>
  `export default { test: { maxWorkers: ${workers}, hookTimeout: 60000, testTimeout: 60000${options} } }\n`

export const vitestFiles: RunnerFiles = {
  extension: 'test.mjs',
  imports: "import { expect, test } from 'vitest'\n",
  importQuery: "import { query } from '../db.mjs'\n",
  alone: (size) => ({ 'vitest.config.mjs': config(size, '') }),
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
  'hand-written rollback': (size, url) => ({
    ...byHand(size, url),
    'each.mjs': `import { afterAll, afterEach, beforeEach } from 'vitest'
import { client } from './db.mjs'
beforeEach(async () => void (await client.query('BEGIN')))
afterEach(async () => void (await client.query('ROLLBACK')))
afterAll(() => client.end())
`,
  }),
  'hand-written TRUNCATE': (size, url) => ({
    ...byHand(size, url),
    'each.mjs': `import { afterAll, beforeEach } from 'vitest'
import { client } from './db.mjs'
beforeEach(async () => void (await client.query('${truncateSql(size)}')))
afterAll(() => client.end())
`,
  }),
}

const byHand = (size: SuiteSize, url: string) => ({
  'vitest.config.mjs': config(size, ", globalSetup: ['./setup.mjs'], setupFiles: ['./each.mjs']"),
  'db.mjs': `import pg from 'pg'
const url = new URL(${JSON.stringify(url)})
url.pathname = '/by_hand_' + process.env.VITEST_POOL_ID
export const client = new pg.Client({ connectionString: url.href })
await client.connect()
export const query = async (sql) => (await client.query(sql)).rows
`,
})
