/** The suite's files for jest. CommonJS, jest's default. */
import { type RunnerFiles, type SuiteSize, truncateSql } from './project.ts'

// Without the limit, jest runs up to 20 fast files in its own process, and so in one.
const config = ({ workers }: SuiteSize, options: string) =>
  `module.exports = { maxWorkers: ${workers}, workerIdleMemoryLimit: '4GB', testTimeout: 60000${options} }\n`

export const jestFiles: RunnerFiles = {
  extension: 'test.js',
  imports: '',
  importQuery: "const { query } = require('../db.js')\n",
  alone: (size) => ({ 'jest.config.js': config(size, '') }),
  afresh: (size, url) => ({
    'jest.config.js': config(
      size,
      `, globalSetup: 'afresh/jest/global-setup', globalTeardown: 'afresh/jest/global-teardown',
  setupFilesAfterEnv: ['afresh/jest/reset']`,
    ),
    'afresh.config.mjs': `export default { server: ${JSON.stringify(url)}, migrate: 'schema.sql' }\n`,
    'db.js': `const pg = require('pg')
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1 })
pool.on('error', () => {})
afterAll(() => pool.end())
exports.query = async (sql) => (await pool.query(sql)).rows
`,
  }),
  'hand-written rollback': (size, url) => ({
    ...byHand(size, url),
    'each.js': `const { connected, client } = require('./db.js')
beforeAll(() => connected)
beforeEach(async () => void (await client.query('BEGIN')))
afterEach(async () => void (await client.query('ROLLBACK')))
afterAll(() => client.end())
`,
  }),
  'hand-written TRUNCATE': (size, url) => ({
    ...byHand(size, url),
    'each.js': `const { connected, client } = require('./db.js')
beforeAll(() => connected)
beforeEach(async () => void (await client.query('${truncateSql(size)}')))
afterAll(() => client.end())
`,
  }),
}

const byHand = (size: SuiteSize, url: string) => ({
  'jest.config.js': config(size, ", globalSetup: './setup.mjs', setupFilesAfterEnv: ['./each.js']"),
  'db.js': `const pg = require('pg')
const url = new URL(${JSON.stringify(url)})
url.pathname = '/by_hand_' + process.env.JEST_WORKER_ID
const client = new pg.Client({ connectionString: url.href })
exports.client = client
exports.connected = client.connect()
exports.query = async (sql) => (await client.query(sql)).rows
`,
})
