import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Consumer, pack, type Ran, unpack } from '../runner/consumer.ts'
import { ask } from '../support/ask.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { describeOn } from '../support/servers.ts'

interface Runner {
  readonly project: string
  readonly file: string
  /** The first lines of a test file. */
  readonly imports: string
  run(consumer: Consumer, file: string, env: Record<string, string>): Promise<Ran>
}

const ESM = "import pg from 'pg'\nimport assert from 'node:assert/strict'\n"
const RUNNERS: Readonly<Record<string, Runner>> = {
  vitest: {
    project: 'vitest-basic',
    file: 'tests/there.test.ts',
    imports: `${ESM}import { test } from 'vitest'\nimport { database } from 'afresh/vitest'\n`,
    run: (consumer, file, env) => consumer.node('node_modules/vitest/vitest.mjs', ['run', file], env),
  },
  jest: {
    project: 'jest-basic',
    file: 'tests/there.test.js',
    imports:
      "const pg = require('pg')\nconst assert = require('node:assert/strict')\nconst { database } = require('afresh/jest')\n",
    run: (consumer, file, env) => consumer.jest([file], env),
  },
  'node:test': {
    project: 'node-test-basic',
    file: 'tests/there.test.mjs',
    imports: `${ESM}import { test } from 'node:test'\nimport { database } from 'afresh/node-test'\n`,
    run: (consumer, file, env) => consumer.node('--import', ['afresh/node-test', '--test', file], env),
  },
}

const CONFIG = `export default {
  server: 'embedded', migrate: 'db/schema.sql', fixtures: 'db/seed.sql',
  env: { DB_NAME: 'database', APP_DB: 'url' },
}\n`

let tarball: string
beforeAll(async () => {
  tarball = await pack()
})
afterAll(() => unpack(tarball))

for (const [name, runner] of Object.entries(RUNNERS)) {
  describeOn('embedded:18', (server) => {
    let consumer: Consumer
    beforeAll(async () => {
      consumer = await Consumer.install(runner.project, tarball)
      writeFileSync(join(consumer.folder, 'afresh.config.ts'), CONFIG)
    })
    afterAll(() => consumer.remove())

    /** Runs a test file with this body. DEV_URL points to a development database. */
    async function running(body: string, check: (ran: Ran, rows: () => Promise<number>) => Promise<void>) {
      await withDatabaseOn(server, `dev_${name.replace(':', '_')}`, async (dev) => {
        await ask(dev, 'CREATE TABLE customers (id int)')
        await ask(dev, 'INSERT INTO customers VALUES (1)')
        const path = join(consumer.folder, runner.file)
        writeFileSync(path, `${runner.imports}${body}`)
        try {
          const ran = await runner.run(consumer, runner.file, {
            DEV_URL: dev.url,
            DB_NAME: 'dev',
            PGDATABASE: 'dev',
          })
          await check(ran, async () => (await ask(dev, 'SELECT id FROM customers')).length)
        } finally {
          rmSync(path)
        }
      })
    }

    it(`${name}: a file that overrides DATABASE_URL, as dotenv can, fails before it writes anything`, async () => {
      const body = `
process.env.DATABASE_URL = process.env.DEV_URL // as dotenv.config({ override: true }) does
test('deletes all customers', async () => {
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
  await pool.query('DELETE FROM customers')
  await pool.end()
})`
      await running(body, async ({ exitCode, output }, rows) => {
        expect(exitCode, output).not.toBe(0)
        expect(output).toContain('DATABASE_URL was changed after afresh had set it')
        expect(await rows()).toBe(1)
      })
    })

    it(`${name}: a test that uses another database by its own variable fails, naming the variable`, async () => {
      const body = `
test('looks into the wrong database', async () => {
  const pool = new pg.Pool({ connectionString: process.env.DEV_URL })
  await pool.query('SELECT count(*) FROM customers')
  await pool.end()
})`
      await running(body, async ({ exitCode, output }) => {
        expect(exitCode, output).not.toBe(0)
        expect(output).toContain('"looks into the wrong database", or what ran before it')
        expect(output).toContain('the variable DEV_URL leads there')
        expect(output).toContain('Nothing in this process has used its own')
      })
    })

    it(`${name}: the variables of the engine and of the configuration point to the test's database`, async () => {
      const body = `
const { DB_NAME, APP_DB } = process.env // when the file is loaded
test('finds its database by each of them', async () => {
  const ways = [{}, { database: DB_NAME }, { connectionString: APP_DB }, { connectionString: process.env.DATABASE_URL }]
  for (const way of ways) {
    const pool = new pg.Pool(way)
    const { rows } = await pool.query('SELECT current_database() AS name, count(*)::int AS n FROM customers')
    assert.deepEqual(rows, [{ name: database.name, n: 3 }])
    await pool.end()
  }
  assert.equal(database.env.PGDATABASE, database.name)
  assert.equal(database.env.DB_NAME, database.name)
  assert.equal(database.env.APP_DB, database.url)
})`
      await running(body, async ({ exitCode, output }) => expect(exitCode, output).toBe(0))
    })
  })
}
