import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask } from '../support/ask.ts'
import { describeOn } from '../support/servers.ts'
import { announced, Consumer, pack, unpack } from './consumer.ts'

const TESTS = 59

let tarball: string
let consumer: Consumer

beforeAll(async () => {
  tarball = await pack()
  consumer = await Consumer.install('vitest-basic', tarball)
})
afterAll(() => {
  consumer.remove()
  unpack(tarball)
})

/** `12` of `Tests  3 failed | 12 passed (15)`. */
function counted(state: 'passed' | 'failed', output: string): number {
  return Number(new RegExp(`^ +Tests .*?(\\d+) ${state}`, 'm').exec(output)?.[1] ?? 0)
}

describeOn('embedded:18', () => {
  it('every test finds the baseline, whatever the order, in four workers', async () => {
    const { exitCode, output } = await consumer.vitest()
    expect(exitCode, output).toBe(0)
    expect(counted('passed', output)).toBe(TESTS)
    expect(announced(output)).toEqual([expect.stringContaining('embedded')])
    expect(consumer.leftovers()).toEqual([])
  })

  it('without the resets they fail', async () => {
    const { exitCode, output } = await consumer.vitest({ AFRESH_CONSUMER_NO_RESET: '1' })
    expect(exitCode).toBe(1)
    expect(counted('failed', output), output).toBeGreaterThan(TESTS / 4)
    expect(counted('passed', output), output).toBeGreaterThan(0)
    expect(consumer.leftovers()).toEqual([])
  })

  it.each([
    ['threads', TESTS],
    ['vmThreads', TESTS],
    ['vmForks', TESTS],
    ['shared processes', TESTS],
    ['shared threads', TESTS],
    ['set up twice', TESTS],
    ['projects', TESTS],
    ['fixture only', 3],
    ['concurrent, each its own', 11],
    ['concurrent, fixtures only', 11],
    ['runner', TESTS],
    ['runner, concurrent', 11],
  ])('runs with %s', async (variant, tests) => {
    const { exitCode, output } = await consumer.variant(variant)
    expect(exitCode, output).toBe(0)
    expect(counted('passed', output)).toBe(tests)
    expect(announced(output)).toHaveLength(1)
  })

  it('refuses concurrent tests instead of wiping their rows', async () => {
    const { exitCode, output } = await consumer.variant('concurrent')
    expect(exitCode).toBe(1)
    expect(counted('failed', output)).toBe(2)
    expect(counted('passed', output)).toBe(1)
    expect(output).toContain('AfreshError: "has neighbours" runs concurrently with other tests of its file')
  })

  it('fails the test whose reset fails, naming which sessions block', async () => {
    const { exitCode, output } = await consumer.variant('blocked', { AFRESH_TEST_LEAKS: 'ignore' })
    expect(exitCode).toBe(1)
    expect(counted('failed', output)).toBe(1)
    expect(output).toContain('ResetError: The reset failed.')
    expect(output).toContain('the leak')
  })

  it.each(['leaks', 'runner, leaks'])(
    'fails the test that leaves something open, naming it, and ends it where that is asked for (%s)',
    async (variant) => {
      const { exitCode, output } = await consumer.variant(variant, { AFRESH_TEST_LEAKS: 'end' })
      expect(exitCode, output).toBe(1)
      expect(counted('failed', output), output).toBe(4)
      expect(counted('passed', output), output).toBe(5)
      const who = (test: string) => `AfreshError: "${test}" ended and still held:\n    `
      const suite = 'each of these fails, and none is in the way of the next > '
      for (const text of [
        `${who(`${suite}leaves a transaction open`)}open transaction: process`,
        `${who(`${suite}does not wait for its statement`)}running statement: process`,
        `${who(`${suite}is given up`)}running statement: process`,
        `${who('holds a lock')}advisory lock: process`,
      ]) {
        expect(output).toContain(text)
      }
      expect(output).toContain("(the leak), last: UPDATE settings SET value = 'changed'")
    },
  )

  it('reports what each test wrote, and adds it to a file as JSON', async () => {
    const file = join(consumer.folder, 'writes.jsonl')
    const { exitCode, output } = await consumer.variant('writes', { AFRESH_TEST_WRITES: 'writes.jsonl' })
    expect(exitCode, output).toBe(0)
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    const tests = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(tests.length).toBeGreaterThanOrEqual(TESTS)
    expect(tests.find(({ test }) => test === 'the accessor > says what was dirty')).toEqual({
      test: 'the accessor > says what was dirty',
      file: join(consumer.folder, 'tests/fixture.test.ts'),
      writes: [],
      openResources: [],
    })
    expect(tests.find(({ test }) => test === 'is reset before each test that takes it (1)')).toBeUndefined()
    expect(
      tests.find(({ test }) => String(test).includes('keeps what the hooks prepared (1)')),
    ).toMatchObject({
      writes: [{ table: 'customers', inserted: 2, updated: 0, deleted: 0 }],
    })
    expect(output).toContain('Written by the tests (afresh):')
    expect(output).toMatch(
      /^ {2}tests\/fixture\.test\.ts > the fixture > keeps what the hooks prepared \(1\): customers \+2$/m,
    )
  })

  it('stays up in watch mode, until the baseline changes', async () => {
    const { exitCode, output } = await consumer.node('variants/watch.mjs')
    expect(exitCode, output).toBe(0)
    const [first, again, broken, changed, back] = output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(first).toMatchObject({ what: 'first', passed: TESTS, failed: 0 })
    expect(again).toEqual({ ...first, what: 'again' })
    expect(broken).toMatchObject({ what: 'broken', passed: 0 })
    expect(broken?.failures).toEqual([expect.stringContaining('relation "nonsense" does not exist')])
    expect(changed?.failed).toBeGreaterThan(0)
    expect(changed?.run).not.toBe(first?.run)
    expect(back).toMatchObject({ what: 'back', passed: TESTS, failed: 0 })
    expect(consumer.leftovers()).toEqual([])
  })
})

describeOn('postgres:18', ({ url }) => {
  it('runs on a server that was there, and leaves it as it was', async () => {
    const tables = () =>
      ask(
        { engine: 'postgres', url },
        "SELECT datname FROM pg_database WHERE datname ~ '_[a-z0-9]{10}_[0-9]+$'",
      )
    const before = await tables()
    const { exitCode, output } = await consumer.vitest({ AFRESH_TEST_SERVER: url })
    expect(exitCode, output).toBe(0)
    expect(counted('passed', output)).toBe(TESTS)
    expect(await tables()).toEqual(before)
  })
})

describe('what goes wrong', () => {
  let broken: Consumer
  beforeAll(() => {
    broken = consumer.copy()
  })
  afterAll(() => broken.remove())

  async function failsWith(message: string, env: Record<string, string> = {}): Promise<void> {
    const { exitCode, output } = await broken.vitest(env)
    expect(exitCode).toBe(1)
    expect(output).toContain(message)
    expect(output.split(message)).toHaveLength(2)
    // Frames of packages say nothing to the reader.
    expect(output).not.toMatch(/node_modules[\\/](afresh|pg)[\\/]/)
    expect(broken.leftovers()).toEqual([])
  }

  it('no global setup', async () => {
    const { exitCode, output } = await broken.variant('no global setup')
    expect(exitCode).toBe(1)
    expect(output).toContain("Add globalSetup: ['afresh/vitest/global-setup']")
  })

  it('nobody at the URL', async () => {
    await failsWith('AfreshError: No server is listening at 127.0.0.1:1.', {
      AFRESH_TEST_SERVER: 'postgres://somebody:secret@127.0.0.1:1/postgres',
    })
  })

  it('a fixture that fails', async () => {
    appendFileSync(join(broken.folder, 'db/seed.sql'), 'INSERT INTO nonsense VALUES (1);\n')
    await failsWith('AfreshError: db/seed.sql:7: relation "nonsense" does not exist')
  })

  it('options that do not exist', async () => {
    writeFileSync(join(broken.folder, 'afresh.config.ts'), 'export default { migrations: "db" }\n')
    await failsWith('Unrecognized key: "migrations"')
  })

  it('no configuration file', async () => {
    rmSync(join(broken.folder, 'afresh.config.ts'))
    await failsWith('AfreshError: There is no afresh.config.ts')
  })
})

describeOn('embedded:18', () => {
  it('runs with vitest 3.2', async () => {
    const older = await Consumer.install('vitest-basic', tarball, ['vitest@~3.2.0'])
    try {
      for (const variant of ['set up twice', 'writes']) {
        const { exitCode, output } = await older.variant(variant)
        expect(exitCode, output).toBe(0)
        expect(output).toMatch(/RUN +v3\.2/)
        expect(counted('passed', output)).toBe(TESTS)
      }
      const own = await older.variant('concurrent, each its own')
      expect(own.exitCode, own.output).toBe(0)
      expect(counted('passed', own.output)).toBe(11)
      const leaks = await older.variant('leaks', { AFRESH_TEST_LEAKS: 'end' })
      expect(counted('failed', leaks.output), leaks.output).toBe(4)
      expect(counted('passed', leaks.output), leaks.output).toBe(5)
    } finally {
      older.remove()
    }
  })

  it('runs with vitest 5, on Node 24', async () => {
    const newer = await Consumer.install('vitest-basic', tarball, ['vitest@5'])
    try {
      await newer.onNode(24)
      const { exitCode, output } = await newer.variant('writes')
      expect(exitCode, output).toBe(0)
      expect(output).toMatch(/RUN +v5\./)
      expect(counted('passed', output)).toBe(TESTS)
      expect(output).toContain('keeps what the hooks prepared (1): customers +2')
      const own = await newer.variant('concurrent, each its own')
      expect(own.exitCode, own.output).toBe(0)
      expect(counted('passed', own.output)).toBe(11)
      const leaks = await newer.variant('leaks', { AFRESH_TEST_LEAKS: 'end' })
      expect(counted('failed', leaks.output), leaks.output).toBe(4)
      expect(counted('passed', leaks.output), leaks.output).toBe(5)
    } finally {
      newer.remove()
    }
  })
})
