import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Consumer, pack, type Ran, unpack } from '../runner/consumer.ts'
import { describeOn } from '../support/servers.ts'

interface Runner {
  readonly project: string
  readonly extension: string
  readonly imports: string
  /** Runs all files of the folder `leak` one after the other in one process. */
  run(consumer: Consumer, leaks: string): Promise<Ran>
  /** The numbers of passed and failed tests in the output. */
  counts(output: string): unknown
}

const count = (output: string, pattern: RegExp) => Number(pattern.exec(output)?.[1] ?? 0)

const RUNNERS: Readonly<Record<string, Runner>> = {
  vitest: {
    project: 'vitest-basic',
    extension: 'test.ts',
    imports: "import pg from 'pg'\nimport { test, expect } from 'vitest'\n",
    run: (consumer, leaks) => {
      const config = `import { defineConfig } from 'vitest/config'
export default defineConfig({ test: { globalSetup: ['afresh/vitest/global-setup'], setupFiles: ['afresh/vitest/reset'],
  include: ['leak/*.test.ts'], isolate: false, maxWorkers: 1, sequence: { shuffle: false } } })\n`
      writeFileSync(join(consumer.folder, 'leak.config.ts'), config)
      const args = ['run', '--config', 'leak.config.ts']
      return consumer.node('node_modules/vitest/vitest.mjs', args, { AFRESH_TEST_LEAKS: leaks })
    },
    counts: (output) => ({
      failed: count(output, /^ +Tests .*?(\d+) failed/m),
      passed: count(output, /^ +Tests .*?(\d+) passed/m),
    }),
  },
  jest: {
    project: 'jest-basic',
    extension: 'test.js',
    imports: "const pg = require('pg')\n",
    run: (consumer, leaks) => {
      const config = `module.exports = { globalSetup: 'afresh/jest/global-setup', globalTeardown: 'afresh/jest/global-teardown',
  setupFilesAfterEnv: ['afresh/jest/reset'], testMatch: ['<rootDir>/leak/*.test.js'] }\n`
      writeFileSync(join(consumer.folder, 'leak.config.js'), config)
      writeFileSync(
        join(consumer.folder, 'afresh.config.ts'),
        `export default { server: 'embedded', migrate: 'db/schema.sql', fixtures: 'db/seed.sql', leaks: process.env.AFRESH_TEST_LEAKS }`,
      )
      return consumer.jest(['--config', 'leak.config.js', '--runInBand', '--forceExit'], {
        AFRESH_TEST_LEAKS: leaks,
      })
    },
    counts: (output) => ({
      failed: count(output, /^Tests: .*?(\d+) failed/m),
      passed: count(output, /^Tests: .*?(\d+) passed/m),
    }),
  },
}

/** Without an error listener, neither on the pool nor on clients. */
const POOL = 'const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })\n'

const INNOCENT = `${POOL}
for (const round of [1, 2]) test('finds the baseline, and may write ' + round, async () => {
  const { rows } = await pool.query("UPDATE settings SET value = 'mine' RETURNING name")
  expect(rows.length).toBe(2)
})\n`

const GUILTY: Readonly<Record<string, string>> = {
  'a transaction of a client that is not released': `
    const client = await pool.connect()
    await client.query('BEGIN')
    await client.query("UPDATE settings SET value = 'changed'")`,
  'a transaction of a client that is closed later': `
    const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
    await client.connect()
    await client.query('BEGIN')
    await client.query('LOCK TABLE settings')
    globalThis.closeLater = () => client.end()`,
  'a statement that nobody waits for': `
    pool.query("UPDATE settings SET value = pg_sleep(30)::text").catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 50))`,
  'a transaction of a client that is given back': `
    const client = await pool.connect()
    await client.query('BEGIN; DELETE FROM settings')
    client.release()`,
  'a lock of a client that the pool keeps': `
    await pool.query('SELECT pg_advisory_lock(42)')`,
}

let tarball: string
beforeAll(async () => {
  tarball = await pack()
})
afterAll(() => unpack(tarball))

for (const [name, runner] of Object.entries(RUNNERS)) {
  describeOn('embedded:18', () => {
    let consumer: Consumer
    beforeAll(async () => {
      consumer = await Consumer.install(runner.project, tarball)
    })
    afterAll(() => consumer.remove())

    const cases = Object.keys(GUILTY).flatMap((guilty) =>
      ['fail', 'end'].map((leaks) => [guilty, leaks] as const),
    )

    it.each(cases)(
      `${name}: %s fails its test and no other, in the same process (leaks: %s)`,
      async (guilty, leaks) => {
        const folder = join(consumer.folder, 'leak')
        mkdirSync(folder)
        try {
          const write = (file: string, text: string) =>
            writeFileSync(join(folder, `${file}.${runner.extension}`), `${runner.imports}${text}`)
          write(
            'a',
            `${POOL}test('guilty', async () => {${GUILTY[guilty]}\n})\n${INNOCENT.slice(POOL.length)}`,
          )
          write('b', INNOCENT)
          write('c', `${INNOCENT}test('closes it', async () => { await globalThis.closeLater?.() })\n`)
          const { exitCode, output } = await runner.run(consumer, leaks)
          expect(exitCode, output).not.toBe(0)
          expect(runner.counts(output), output).toEqual({ failed: 1, passed: 7 })
          expect(output).toContain('"guilty" ended and still held')
          expect(output).not.toMatch(/Unhandled|Test suite failed|terminating connection/)
        } finally {
          rmSync(folder, { recursive: true })
        }
      },
    )
  })
}
