import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeOn } from '../support/servers.ts'
import { announced, Consumer, pack, type Ran, unpack } from './consumer.ts'

const TESTS = 66

let tarball: string
let consumer: Consumer

beforeAll(async () => {
  tarball = await pack()
  consumer = await Consumer.install('jest-basic', tarball, ['ts-jest@^29.4.0', 'typescript@^5.9.0'])
})
afterAll(() => {
  consumer.remove()
  unpack(tarball)
})

/** `12` of `Tests:       3 failed, 12 passed, 15 total`. */
function counted(state: 'passed' | 'failed', output: string): number {
  return Number(new RegExp(`^Tests: .*?(\\d+) ${state}`, 'm').exec(output)?.[1] ?? 0)
}

const lines = (start: string, output: string) =>
  [...new Set(output.split('\n').filter((line) => line.startsWith(start)))].sort()

/** Every test passed, and nothing was left that would have kept a process from ending. */
async function expectPassed(
  project: Consumer,
  run: (env: Record<string, string>) => Promise<Ran>,
  tests: number,
): Promise<Ran & { readonly workers: number }> {
  const stays = join(project.folder, 'stays.log')
  writeFileSync(stays, '')
  const ran = await run({
    NODE_OPTIONS: `--require ${join(project.folder, 'src/note-what-stays.cjs')}`,
    AFRESH_CONSUMER_STAYS: stays,
  })
  expect(ran.exitCode, ran.output).toBe(0)
  expect(counted('passed', ran.output)).toBe(tests)
  expect(ran.output).not.toMatch(/did not exit/)
  const ofWorkers = readFileSync(stays, 'utf8').split('\n').filter(Boolean)
  expect(ofWorkers.filter((line) => line !== '[]')).toEqual([])
  return { ...ran, workers: ofWorkers.length }
}

describeOn('embedded:18', () => {
  it('every test finds the baseline, whatever the order, in three workers', async () => {
    const ran = await expectPassed(consumer, (env) => consumer.jest(['--randomize'], env), TESTS)
    expect(ran.workers).toBeGreaterThanOrEqual(3)
    expect(lines('worker ', ran.output)).toEqual(['worker 1', 'worker 2', 'worker 3'])
    expect(announced(ran.output)).toEqual([expect.stringContaining('embedded')])
    expect(consumer.leftovers()).toEqual([])
  })

  it('without the resets they fail', async () => {
    const { exitCode, output } = await consumer.jest(['--randomize'], { AFRESH_CONSUMER_NO_RESET: '1' })
    expect(exitCode).toBe(1)
    expect(counted('failed', output), output).toBeGreaterThan(TESTS / 4)
    expect(output).toContain('duplicate key value violates unique constraint "customers_email_key"')
    expect(consumer.leftovers()).toEqual([])
  })

  it.each([
    ['in band', TESTS],
    ['threads, set up twice', TESTS],
    // ES modules, TypeScript, and a package with a configuration of its own.
    ['projects', 17],
  ])('runs with %s', async (variant, tests) => {
    await expectPassed(consumer, (env) => consumer.jestVariant(variant, env), tests)
    expect(consumer.leftovers()).toEqual([])
  })

  it('fails the tests that cannot have a fresh database, and no others', async () => {
    const { exitCode, output } = await consumer.jestVariant('failing')
    expect(exitCode).toBe(1)
    expect(lines('  ● ', output)).toEqual([
      '  ● a suite › it, too',
      '  ● concurrent',
      '  ● in this order › first leaves a transaction open',
      '  ● of a table (1)',
      '  ● of a table (2)',
      '  ● times out, and goes on',
    ])
    expect(output).toContain('AfreshError: "it, too" runs concurrently with other tests')
    expect(output).not.toContain('ResetError')
    expect(output).toMatch(
      /"in this order first leaves a transaction open" ended and still held:\n\s+open transaction: process \d+ \(the leak\)/,
    )
    expect(counted('passed', output)).toBe(5)
  })
})

describe('what goes wrong', () => {
  it('no global setup', async () => {
    const { exitCode, output } = await consumer.jestVariant('no global setup')
    expect(exitCode).toBe(1)
    expect(output).toContain("Add globalSetup: 'afresh/jest/global-setup' and globalTeardown:")
  })

  it('no global teardown', async () => {
    const { exitCode, output } = await consumer.jestVariant('no global teardown')
    expect(exitCode).toBe(1)
    expect(output).toContain("Add globalTeardown: 'afresh/jest/global-teardown'")
    expect(consumer.leftovers()).toEqual([])
  })

  it('a fixture that fails', async () => {
    const broken = consumer.copy()
    try {
      appendFileSync(join(broken.folder, 'db/seed.sql'), 'INSERT INTO nonsense VALUES (1);\n')
      const { exitCode, output } = await broken.jest()
      expect(exitCode).toBe(1)
      expect(output).toContain('db/seed.sql:7: relation "nonsense" does not exist')
      // Frames of packages say nothing to the reader.
      expect(output).not.toMatch(/node_modules[\\/](afresh|pg)[\\/]/)
      expect(broken.leftovers()).toEqual([])
    } finally {
      broken.remove()
    }
  })
})

describeOn('embedded:18', () => {
  it('runs with jest 29', async () => {
    const older = await Consumer.install('jest-basic', tarball, ['jest@^29.7.0'])
    try {
      expect((await older.jest(['--version'])).stdout).toMatch(/^29\./)
      const { workers } = await expectPassed(older, (env) => older.jest(['--randomize'], env), TESTS)
      expect(workers).toBeGreaterThanOrEqual(3)
      expect(older.leftovers()).toEqual([])
    } finally {
      older.remove()
    }
  })
})
