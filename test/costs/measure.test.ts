import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { calibrate } from '../../src/costs/calibrate.ts'
import { costsOf, measureCosts } from '../../src/costs/measure.ts'
import { addSample, readServerCosts, replaceSamples } from '../../src/costs/store.ts'
import type { Databases } from '../../src/engine/databases.ts'
import { type Opened, open } from '../../src/engine/registry.ts'
import { createHarness, existing, planReset, type ResetReport, type TestDatabase } from '../../src/index.ts'
import type { Costs } from '../../src/plan/cost.ts'
import { ask } from '../support/ask.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'

const cache = mkdtempSync(join(tmpdir(), 'afresh-costs-'))
const before = process.env.AFRESH_CACHE_DIR
beforeAll(() => {
  process.env.AFRESH_CACHE_DIR = cache
})
afterAll(() => {
  if (before === undefined) delete process.env.AFRESH_CACHE_DIR
  else process.env.AFRESH_CACHE_DIR = before
  rmSync(cache, { recursive: true })
})

const SCRATCH = 'afresh_costs_0000000000_9999'

const NOTHING = {
  truncate: 0,
  truncateKey: 0,
  planTable: 0,
  probeRow: 0,
  referredRow: 0,
  readPage: 0,
  restart: 0,
}
/**
 * Close to measured costs, but fixed, so that choices do not depend on the load of this machine.
 * Microseconds.
 */
const GIVEN: Readonly<Record<ServerAtHand['engine'], Costs>> = {
  postgres: {
    ...NOTHING,
    truncateFile: 100,
    deleteRow: 0.2,
    deleteIndexRow: 0,
    readPage: 1,
    pageBytes: 8192,
  },
  mysql: {
    ...NOTHING,
    truncateFile: 970,
    deleteRow: 1.1,
    deleteIndexRow: 0.7,
    restart: 1040,
    pageBytes: 16_384,
  },
  mariadb: {
    ...NOTHING,
    truncateFile: 230,
    deleteRow: 0.4,
    deleteIndexRow: 0.25,
    restart: 100,
    pageBytes: 16_384,
  },
}

for (const id of ['embedded:18', 'postgres:18', 'mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    let opened: Opened & { databases: Databases }
    beforeAll(async () => {
      rmSync(join(cache, 'costs'), { recursive: true, force: true })
      const { engine, connection } = await open(server.url)
      const { databases } = engine
      if (databases === undefined) throw new Error(`${engine.title} has no server`)
      opened = { engine, connection, databases }
    })
    afterAll(() => opened.connection.close())

    describe('the costs of DELETE and TRUNCATE', () => {
      const measured = async (ours = false): Promise<Costs> => {
        const problems: string[] = []
        const costs = await costsOf(
          { ...opened, adminUrl: server.url, temporaryName: SCRATCH, startedByAfresh: ours },
          (line) => problems.push(line),
        )
        expect(problems).toEqual([])
        if (costs === undefined) throw new Error('nothing was measured')
        return costs
      }

      it('are positive, and measuring leaves nothing behind', async () => {
        const databases = await opened.databases.list(opened.connection)
        const costs = await measureCosts(
          { ...opened, adminUrl: server.url, temporaryName: SCRATCH },
          opened.connection,
        )
        if (costs === undefined) throw new Error('nothing was measured')
        expectPlausible(costs)
        expect(await opened.databases.list(opened.connection)).toEqual(databases)
      })

      it('are measured with more rounds if there is time', async () => {
        const databases = await opened.databases.list(opened.connection)
        const target = { ...opened, adminUrl: server.url, temporaryName: SCRATCH }
        const costs = await calibrate(target, opened.connection, { rounds: 9, budgetMs: 1000 })
        expectPlausible(costs)
        expect(await opened.databases.list(opened.connection)).toEqual(databases)
      })

      it('leave nothing behind if their database cannot be connected to', async () => {
        const { engine, databases, connection } = opened
        const before = await databases.list(connection)
        const target = { engine, databases, adminUrl: server.url, temporaryName: SCRATCH }
        const elsewhere = { ...databases, urlOf: () => databases.urlOf(server.url, 'no_such_database') }
        await expect(measureCosts({ ...target, databases: elsewhere }, connection)).rejects.toThrow(
          /no_such_database/,
        )
        expect(await databases.list(connection)).toEqual(before)
      })

      it('are measured by the first three callers', async () => {
        expect(await readServerCosts(opened)).toBeUndefined()
        const first = await measured()
        expect(await readServerCosts(opened)).toEqual(first)
        for (let i = 1; i < 3; i++) await measured()
        const [name = ''] = files()
        const written = readFileSync(join(cache, 'costs', name), 'utf8')
        expect(await measured()).toEqual(await readServerCosts(opened))
        expect(files()).toEqual([name])
        expect(readFileSync(join(cache, 'costs', name), 'utf8')).toBe(written)
      })

      it('are the median of the samples', async () => {
        const costs = await measured()
        for (const name of files()) rmSync(join(cache, 'costs', name))
        const noted = async (deleteRow: number, restart: number) => {
          await addSample(opened, { ...costs, deleteRow, restart }, { startedByAfresh: false })
          const now = await readServerCosts(opened)
          return [now?.deleteRow, now?.restart]
        }
        expect(await noted(7, 1)).toEqual([7, 1])
        expect(await noted(900, 0)).toEqual([7, 0])
        expect(await noted(8, 500)).toEqual([8, 1])
        expect(await noted(9, 500)).toEqual([9, 500])
        for (const name of files()) rmSync(join(cache, 'costs', name))
      })

      it('survive concurrent writers, and files of killed runs are removed eventually', async () => {
        const costs = await measured()
        const folder = join(cache, 'costs')
        for (let i = 0; i < 60; i++) {
          const left = join(folder, `left-${i}.json.1234`)
          writeFileSync(left, '{')
          utimesSync(left, i, i)
        }
        await Promise.all(
          Array.from({ length: 5 }, () => replaceSamples(opened, costs, { startedByAfresh: false })),
        )
        expect(await readServerCosts(opened)).toEqual(costs)
        const names = files()
        expect(names.length).toBeLessThanOrEqual(50)
        expect(names).not.toContain('left-0.json.1234')
        expect(names.filter((name) => /\.json\..{36}$/.test(name))).toEqual([])
        for (const name of names) rmSync(join(folder, name))
      })

      it('are replaced for this server, and kept separately for servers that afresh started', async () => {
        const costs = await measured()
        await replaceSamples(opened, costs, { startedByAfresh: false })
        const better = { ...costs, deleteRow: 1234 }
        await replaceSamples(opened, better, { startedByAfresh: true })
        expect(await readServerCosts(opened)).toEqual(costs)
        await replaceSamples(opened, better, { startedByAfresh: false })
        expect(await readServerCosts(opened)).toEqual(better)
        await replaceSamples(opened, costs, { startedByAfresh: false })
      })

      it('are measured again if the file is damaged', async () => {
        await measured()
        for (const name of files()) writeFileSync(join(cache, 'costs', name), '{"costs": {}}')
        expect(await readServerCosts(opened)).toBeUndefined()
        for (const name of files()) writeFileSync(join(cache, 'costs', name), '{')
        expect(await readServerCosts(opened)).toBeUndefined()
        await measured()
        expect(await readServerCosts(opened)).toBeDefined()
      })

      it('do not fail a run if they cannot be measured', async () => {
        const problems: string[] = []
        const temporaryName = 'afresh_costs_in_the_way_9999'
        await ask(server, `CREATE DATABASE ${temporaryName}`)
        const target = { ...opened, adminUrl: server.url, temporaryName, startedByAfresh: false }
        for (const name of files()) rmSync(join(cache, 'costs', name))
        expect(await costsOf(target, (line) => problems.push(line))).toBeUndefined()
        expect(problems.join()).toMatch(
          /The costs of DELETE and TRUNCATE could not be measured: .*already exists/,
        )
        await ask(server, `DROP DATABASE ${temporaryName}`)
      })
    })

    describe('the chosen statement', () => {
      it('is DELETE for one row and TRUNCATE for 200,000', async () => {
        const costs = GIVEN[server.engine]
        await replaceSamples(opened, costs, { startedByAfresh: false })
        await using harness = await createHarness({ server: existing(server.url), migrate })
        expect(harness.handle.costs).toEqual(costs)
        await using database = await harness.lease()

        await ask({ ...server, url: database.url }, 'INSERT INTO things VALUES (1, 1, 1)')
        expect(stepOf(await database.reset(), 'things')).toMatchObject({ truncated: false })
        await fill(server, database, 200_000)
        const large = stepOf(await database.reset(), 'things')
        expect(large.truncated).toBe(true)
        expect(large.reason).toMatch(/^TRUNCATE \(.*\) is cheaper above \d+ rows/)
        expect(await database.verify()).toEqual([])
      })

      it.runIf(server.engine === 'postgres')('limits the space of rows that DELETE leaves', async () => {
        await using harness = await createHarness({ server: existing(server.url), migrate })
        await using database = await harness.lease()
        const { steps } = await planReset(database.url)
        const above = steps.find(({ step }) => step === 'delete from parts')?.truncateAboveDeadBytes ?? 0
        const size = async () =>
          Number(
            (await ask({ ...server, url: database.url }, `SELECT pg_relation_size('parts') AS bytes`))[0]
              ?.bytes,
          )
        // About one new page each time: 200 rows of 36 bytes.
        const rows = 'INSERT INTO parts SELECT n FROM generate_series(1, 200) AS n'
        let truncated = 0
        for (let i = 0; i < 2 * (above / 8192) + 2; i++) {
          await ask({ ...server, url: database.url }, rows)
          if (stepOf(await database.reset(), 'parts').truncated) truncated++
          expect(await size()).toBeLessThanOrEqual(above)
        }
        expect(truncated).toBeGreaterThan(0)
      })

      it('is in the plan, with its costs', async () => {
        await using harness = await createHarness({ server: existing(server.url), migrate })
        await using database = await harness.lease()
        const { costs, steps } = await planReset(database.url)
        expect(costs).toBe('measured')
        const step = (table: string) => steps.find(({ step }) => step === `delete from ${table}`)
        const needsClosure = server.engine === 'postgres'
        expect(step('things')).toMatchObject({
          truncateTables: needsClosure ? ['things', 'parts'] : ['things'],
          truncateAboveRows: expect.any(Number),
          // One file for rows and one for each index; none for TOAST, since no value is long.
          reason: expect.stringMatching(
            needsClosure
              ? /^its baseline is empty; TRUNCATE above \d+ rows or .* of dead ones \(6 files with 1 table that refers to it\)$/
              : /^its baseline is empty; TRUNCATE above \d+ rows \(1 file\)$/,
          ),
        })
        expect(step('things')?.truncateAboveRows).toBeGreaterThan(0)
      })
    })
  })
}

function expectPlausible(costs: Costs): void {
  for (const figure of Object.values(costs)) {
    expect(figure).toBeGreaterThanOrEqual(0)
    expect(figure).toBeLessThan(Number.POSITIVE_INFINITY)
  }
  expect(costs.truncateFile).toBeGreaterThan(0)
  expect(costs.deleteRow).toBeGreaterThan(0)
  expect([8192, 16_384]).toContain(costs.pageBytes)
}

function files(): string[] {
  return readdirSync(join(cache, 'costs'))
}

async function migrate({ url }: { readonly url: string }): Promise<void> {
  await ask(
    { engine: url.split(':')[0]?.startsWith('postgres') ? 'postgres' : 'mysql', url },
    `CREATE TABLE things (id int PRIMARY KEY, a int, b int); CREATE INDEX things_a ON things (a);
     CREATE TABLE parts (id int PRIMARY KEY, thing int, FOREIGN KEY (thing) REFERENCES things (id));
     CREATE INDEX parts_thing ON parts (thing)`,
  )
}

function stepOf(report: ResetReport, table: string) {
  const found = report.steps.find(({ step }) => step === `delete from ${table}`)
  if (found === undefined) throw new Error(`no step empties ${table}: ${JSON.stringify(report)}`)
  return found
}

const DIGITS = `(${Array.from({ length: 10 }, (_, digit) => `SELECT ${digit} AS d`).join(' UNION ALL ')})`

async function fill(server: ServerAtHand, { url }: TestDatabase, rows: number): Promise<void> {
  const sizes = [1, 10, 100, 1000, 10_000, 100_000]
  await ask(
    { ...server, url },
    `INSERT INTO things SELECT n, n, n FROM (SELECT ${sizes.map((factor, i) => `${factor} * p${i}.d`).join(' + ')} AS n
       FROM ${sizes.map((_, i) => `${DIGITS} AS p${i}`).join(', ')}) AS numbers WHERE n < ${rows}`,
  )
}
