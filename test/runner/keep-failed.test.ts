import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../server/child.ts'
import { ask } from '../support/ask.ts'
import { describeOn } from '../support/servers.ts'
import { Consumer, pack, type Ran, unpack } from './consumer.ts'

/** The failing tests write different rows, and what follows finds the baseline. */
const BODY = {
  fails: `await query("INSERT INTO settings VALUES ('kept', 'first')"); throw new Error('as it should')`,
  own: (database: string) =>
    `await query("INSERT INTO settings VALUES ('kept', 'own')", ${database}.url); throw new Error('as it should')`,
  passes: `const [row] = await query('SELECT count(*)::int AS n FROM settings'); if (row.n !== 2) throw new Error(['not', 'clean'].join(' '))`,
}

const QUERY = `
async function query(sql, url = process.env.DATABASE_URL) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try { return (await client.query(sql)).rows } finally { await client.end() }
}`

const FILES = {
  vitest: `import pg from 'pg'
import { test } from 'vitest'
import { test as own } from 'afresh/vitest'
${QUERY}
own('fails with its own', async ({ testDatabase }) => { ${BODY.own('testDatabase')} })
test('fails', async () => { ${BODY.fails} })
test.fails('is expected to fail', async () => { ${BODY.fails} })
test('passes', async () => { ${BODY.passes} })`,
  jest: `const pg = require('pg')
const { withDatabase } = require('afresh/jest')
${QUERY}
test('fails with its own', withDatabase(async ({ database }) => { ${BODY.own('database')} }))
test('fails', async () => { ${BODY.fails} })
test.failing('is expected to fail', async () => { ${BODY.fails} })
test('passes', async () => { ${BODY.passes} })`,
  'node:test': `import test from 'node:test'
import pg from 'pg'
import { withDatabase } from 'afresh/node-test'
${QUERY}
test('fails with its own', withDatabase(async ({ database }) => { ${BODY.own('database')} }))
test('fails', async () => { ${BODY.fails} })
test('passes', async () => { ${BODY.passes} })`,
}

type Runner = keyof typeof FILES

const RUNNERS: readonly {
  runner: Runner
  project: string
  file: string
  run(of: Consumer, env: Env): Promise<Ran>
}[] = [
  {
    runner: 'vitest',
    project: 'vitest-basic',
    file: 'tests/failing.test.ts',
    run: (consumer, env) => consumer.vitest(env),
  },
  {
    runner: 'jest',
    project: 'jest-basic',
    file: 'tests/failing.test.js',
    run: (consumer, env) => consumer.jest([], env),
  },
  {
    runner: 'node:test',
    project: 'node-test-basic',
    file: 'tests/failing.test.mjs',
    run: (consumer, env) =>
      consumer.node('--import', ['afresh/node-test', '--test', 'tests/failing.test.mjs'], env),
  },
]

type Env = Record<string, string>

let tarball: string
beforeAll(async () => {
  tarball = await pack()
})
afterAll(() => unpack(tarball))

describeOn('embedded:18', () => {
  describe.each(RUNNERS)('$runner', ({ runner, project, file, run }) => {
    let consumer: Consumer
    let cache: string
    const env = (more: Env = {}) => ({ AFRESH_CACHE_DIR: cache, CI: '', AFRESH_IN_TERMINAL: '1', ...more })
    const lingering = () => {
      const folder = join(cache, 'lingering')
      return existsSync(folder) ? readdirSync(folder) : []
    }

    beforeAll(async () => {
      consumer = await Consumer.install(project, tarball)
      rmSync(join(consumer.folder, 'tests'), { recursive: true })
      mkdirSync(join(consumer.folder, 'tests'))
      writeFileSync(join(consumer.folder, file), FILES[runner])
      cache = join(consumer.folder, '../cache')
      mkdirSync(cache)
    })
    afterAll(async () => {
      rmSync(join(cache, 'lingering'), { recursive: true, force: true })
      await until(() => consumer.leftovers().length === 0, 20_000)
      consumer.remove()
    })

    /** What a failed test has printed about its database. */
    const keptIn = (output: string) =>
      [
        ...output.matchAll(
          /afresh: "([^"]+)" failed\. A copy of its database stays ([^\n]*):\n.*?psql (\S+)/g,
        ),
      ].map(([, test, how, url = '']) => ({ test, how, url }))

    it('keeps the database of a failed test after the run, and the server for an hour', async () => {
      const { exitCode, output } = await run(consumer, env())
      expect(exitCode).toBe(1)
      const kept = keptIn(output)
      const how = 'for an hour after the run (wrote: settings)'
      expect(new Map(kept.map(({ test, how }) => [test, how])), output).toEqual(
        new Map([
          ['fails', how],
          ['fails with its own', how],
        ]),
      )
      expect(output).not.toContain('not clean')
      for (const [test, value] of [
        ['fails', 'first'],
        ['fails with its own', 'own'],
      ]) {
        const url = kept.find((one) => one.test === test)?.url ?? ''
        const sql = `SELECT value FROM settings WHERE name = 'kept'`
        expect(await ask({ engine: 'postgres', url }, sql)).toEqual([{ value }])
      }
    })

    it('ends the server when the next run keeps one, and at `afresh clean`', async () => {
      // The process that holds the sessions of node:test ends after the run.
      await expect.poll(lingering, { timeout: 20_000 }).toHaveLength(1)
      const [before] = lingering()
      await run(consumer, env())
      await expect.poll(lingering, { timeout: 20_000 }).not.toContain(before)
      await expect.poll(lingering, { timeout: 20_000 }).toHaveLength(1)

      const status = await consumer.afresh(['status'], env())
      expect(status.output).toMatch(/Servers that stay for databases of failed tests\n.*ends in (59|60) min/)
      const clean = await consumer.afresh(['clean', '--yes'], env())
      expect(clean.exitCode, clean.output).toBe(0)
      expect(clean.output).toContain('stays for databases of failed tests')
      expect(clean.output).toContain('Dropped 0 databases, and ended 1 server.')
      await expect.poll(() => consumer.leftovers(), { timeout: 20_000 }).toEqual([])
    })

    it.runIf(runner === 'vitest')('keeps those of the first three tests that fail in a run', async () => {
      const many = join(consumer.folder, 'tests/many.test.ts')
      writeFileSync(
        many,
        `import pg from 'pg'
import { test } from 'vitest'
${QUERY}
test.each([1, 2, 3, 4, 5])('fails %i', async () => { ${BODY.fails} })`,
      )
      const { output } = await run(consumer, env())
      rmSync(many)
      expect(keptIn(output), output).toHaveLength(3)
      await consumer.afresh(['clean', '--yes'], env())
      await expect.poll(() => consumer.leftovers()).toEqual([])
    })

    it('keeps none in CI, and none without failures', async () => {
      const { output } = await run(consumer, env({ CI: 'true' }))
      expect(output).not.toContain('A copy of its database')
      expect(lingering()).toEqual([])
    })
  })
})
