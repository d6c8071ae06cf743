/** A session that a test leaves in its pool is ended; the pool must not give it to the next test. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Consumer, pack, type Ran, unpack } from '../runner/consumer.ts'
import { describeOn } from '../support/servers.ts'

let tarball: string
beforeAll(async () => {
  tarball = await pack()
})
afterAll(() => unpack(tarball))

const LEAKS = ['fail', 'end'] as const

function write(consumer: Consumer, file: string, text: string): void {
  writeFileSync(join(consumer.folder, file), text)
}

/** Each guilty test, and after each the same innocent one. */
function tests(guilty: Readonly<Record<string, string>>, innocent: string): string {
  return Object.entries(guilty)
    .map(
      ([name, body]) =>
        `test('${name}', async () => {${body}})\ntest('after ${name}', async () => {${innocent}})`,
    )
    .join('\n')
}

function expectOnlyGuilty({ exitCode, output }: Ran, guilty: Readonly<Record<string, string>>): void {
  expect(exitCode, output).toBe(1)
  for (const name of Object.keys(guilty)) expect(output).toContain(`"${name}" ended and still held`)
  expect(output).not.toMatch(/terminating connection|Connection lost|closed state|Unhandled/)
}

const POSTGRES = {
  'gives back an open transaction': `
    const client = await pool.connect()
    await client.query('BEGIN; DELETE FROM settings')
    client.release()`,
  'gives back an aborted transaction': `
    const client = await pool.connect()
    await client.query('BEGIN')
    await client.query('SELECT 1/0').catch(() => {})
    client.release()`,
  'leaves a lock': "await pool.query('SELECT pg_advisory_lock(42)')",
  'leaves a shared lock': "await pool.query('SELECT pg_advisory_lock_shared(1, 2)')",
}
const POSTGRES_POOL = `import pg from 'pg'
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 2 })
pool.on('error', () => {})\n`
const POSTGRES_INNOCENT = `
    const { rowCount } = await pool.query("UPDATE settings SET value = 'mine'")
    if (rowCount !== 2) throw new Error(String(rowCount))`

describeOn('embedded:18', () => {
  let vitest: Consumer
  let nodeTest: Consumer
  beforeAll(async () => {
    vitest = await Consumer.install('vitest-basic', tarball)
    nodeTest = await Consumer.install('node-test-basic', tarball)
  })
  afterAll(() => {
    vitest.remove()
    nodeTest.remove()
  })

  it.each(LEAKS)('vitest: with a module graph for each file (leaks: %s)', async (leaks) => {
    const imports = "import { test } from 'vitest'\n"
    write(vitest, 'pool.test.ts', `${imports}${POSTGRES_POOL}${tests(POSTGRES, POSTGRES_INNOCENT)}`)
    write(vitest, 'pool.config.ts', CONFIG)
    const args = ['run', '--config', 'pool.config.ts']
    const ran = await vitest.node('node_modules/vitest/vitest.mjs', args, { AFRESH_TEST_LEAKS: leaks })
    expectOnlyGuilty(ran, POSTGRES)
    expect(ran.output).toMatch(/Tests +4 failed \| 4 passed/)
  })

  it.each(LEAKS)('node:test (leaks: %s)', async (leaks) => {
    const imports = "import { after, test } from 'node:test'\n"
    const end = '\nafter(() => pool.end())'
    write(nodeTest, 'pool.mjs', `${imports}${POSTGRES_POOL}${tests(POSTGRES, POSTGRES_INNOCENT)}${end}`)
    const ran = await nodeTest.node('--import', ['afresh/node-test', '--test', 'pool.mjs'], {
      AFRESH_TEST_LEAKS: leaks,
    })
    expectOnlyGuilty(ran, POSTGRES)
    expect(ran.output).toMatch(/pass 4\n.*fail 4\n/)
  })
})

const CONFIG = `import { defineConfig } from 'vitest/config'
export default defineConfig({ test: { globalSetup: ['afresh/vitest/global-setup'], setupFiles: ['afresh/vitest/reset'],
  include: ['pool.test.ts'], sequence: { shuffle: false } } })\n`

const TRANSACTION = {
  'gives back an open transaction': `
    const connection = await pool.getConnection()
    await connection.query('START TRANSACTION')
    await connection.query("UPDATE settings SET value = 'changed'")
    connection.release()`,
  'keeps an open transaction': `
    const connection = await mysql.createConnection(process.env.DATABASE_URL)
    await connection.query('START TRANSACTION')
    await connection.query("UPDATE settings SET value = 'changed'")`,
}
const MYSQL = {
  'mysql:9.7': { ...TRANSACTION, 'leaves a lock': `await pool.query("SELECT GET_LOCK('a', 0)")` },
  'mariadb:11.8': TRANSACTION,
}
const MYSQL_INNOCENT = `
    const [{ affectedRows }] = await pool.query("UPDATE settings SET value = 'mine'")
    if (affectedRows !== 2) throw new Error(String(affectedRows))`

for (const [id, guilty] of Object.entries(MYSQL)) {
  describeOn(id as keyof typeof MYSQL, ({ url }) => {
    let consumer: Consumer
    beforeAll(async () => {
      consumer = await Consumer.install('vitest-basic', tarball, ['mysql2@^3.24.6'])
    })
    afterAll(() => consumer.remove())

    it.each(LEAKS)('vitest: a pool of mysql2 (leaks: %s)', async (leaks) => {
      const schema = `CREATE TABLE settings (name varchar(20) PRIMARY KEY, value varchar(20));
        INSERT INTO settings VALUES ('a', '1'), ('b', '2')`
      write(consumer, 'settings.sql', schema)
      const config = { server: url.replace(/^mariadb:/, 'mysql:'), migrate: 'settings.sql', leaks }
      write(consumer, 'afresh.config.ts', `export default ${JSON.stringify(config)}`)
      const imports = `import mysql from 'mysql2/promise'\nimport { test } from 'vitest'\n
        const pool = mysql.createPool(process.env.DATABASE_URL)\n`
      write(consumer, 'pool.test.ts', `${imports}${tests(guilty, MYSQL_INNOCENT)}`)
      write(consumer, 'pool.config.ts', CONFIG)
      const ran = await consumer.node('node_modules/vitest/vitest.mjs', ['run', '--config', 'pool.config.ts'])
      expectOnlyGuilty(ran, guilty)
      const count = Object.keys(guilty).length
      expect(ran.output).toMatch(new RegExp(`Tests +${count} failed \\| ${count} passed`))
    })
  })
}
