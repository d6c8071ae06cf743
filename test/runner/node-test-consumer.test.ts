import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeOn } from '../support/at-hand.ts'
import { Consumer, pack, type Ran, unpack } from './consumer.ts'

const TESTS = 60
const OURS = ['--import', 'afresh/node-test']

let tarball: string
let consumer: Consumer

beforeAll(async () => {
  tarball = await pack()
  consumer = await Consumer.install('node-test-basic', tarball)
})
afterAll(() => {
  consumer.remove()
  unpack(tarball)
})

const run = (args: readonly string[], env: Record<string, string> = {}): Promise<Ran> =>
  consumer.node('--test-reporter=tap', args, env)

/** `# pass 12` */
function counted(state: 'pass' | 'fail', { output }: Ran): number {
  return Number(new RegExp(`^# ${state} (\\d+)`, 'm').exec(output)?.[1] ?? 0)
}

function expectPassed(ran: Ran, tests: number): void {
  expect(ran.exitCode, ran.output).toBe(0)
  expect(counted('pass', ran), ran.output).toBe(tests)
}

/** The keeper looks five times a second whether node is gone. */
const nothingIsLeft = () => expect.poll(() => consumer.leftovers(), { timeout: 10_000 }).toEqual([])

for (const major of [20, 24]) {
  describeOn('embedded:18', () => {
    describe(`on Node ${major}`, () => {
      beforeAll(async () => {
        if (Number(process.versions.node.split('.')[0]) !== major) await consumer.onNode(major)
      })
      // Node 20 wants the folder, later ones a pattern.
      const all = [...OURS, '--test', major === 20 ? 'tests/' : 'tests/*.test.js']

      it('every test finds the baseline, whatever the order, in files side by side', async () => {
        expectPassed(await run(all), TESTS)
        await nothingIsLeft()
      })

      it('without the resets they fail', async () => {
        const ran = await run(['--import', './no-reset.mjs', ...all.slice(2)])
        expect(ran.exitCode).toBe(1)
        expect(counted('fail', ran), ran.output).toBeGreaterThan(TESTS / 4)
      })

      it('a file by itself has a server of its own; parts of a test and hooks keep what was prepared', async () => {
        const ran = await run([...OURS, 'variants/parts.test.js'])
        expectPassed(ran, 5)
        expect(ran.output).toMatch(/^afresh: PostgreSQL .*embedded/m)
        expect(consumer.leftovers()).toEqual([])
      })

      it('is there for CommonJS', async () => {
        expectPassed(await run([...OURS, '--test', 'variants/common.test.cjs']), 2)
      })

      it('has a database each for tests that run concurrently, and fails those that share one', async () => {
        const ran = await run([...OURS, 'variants/concurrent.test.js'])
        expect(ran.exitCode).toBe(1)
        expect([counted('pass', ran), counted('fail', ran)], ran.output).toEqual([5, 2])
        expect(ran.output).toContain('"fails, too" ran concurrently with other tests of its file')
      })

      it('fails the test that leaves something open, which hinders nobody', async () => {
        const ran = await run([...OURS, 'variants/leaks.test.js'], { AFRESH_TEST_LEAKS: 'end' })
        expect(ran.exitCode).toBe(1)
        expect(counted('pass', ran), ran.output).toBe(2)
        expect(ran.output).toContain('"leaves a transaction open" was over and still held')
      })

      it('tells what is wrong with the baseline in every file, and leaves nothing', async () => {
        const ran = await run(all, { AFRESH_TEST_FIXTURES: 'db/nonsense.sql' })
        expect(ran.exitCode).toBe(1)
        expect(ran.output).toContain('nonsense.sql')
        await nothingIsLeft()
      })

      if (major === 20) return
      it('has all files in one process', async () => {
        const ran = await run([
          ...OURS,
          '--test',
          '--test-isolation=none',
          'tests/orders.test.js',
          'variants/parts.test.js',
        ])
        expect(ran.exitCode, ran.output).toBe(0)
        expect(counted('pass', ran)).toBeGreaterThanOrEqual(20)
      })
    })
  })
}

describeOn('embedded:18', () => {
  it('writes what each test wrote', async () => {
    writeFileSync(join(consumer.folder, 'writes.jsonl'), '')
    expectPassed(await run([...OURS, 'variants/parts.test.js'], { AFRESH_TEST_WRITES: 'writes.jsonl' }), 5)
    const lines = readFileSync(join(consumer.folder, 'writes.jsonl'), 'utf8').trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual({
      test: 'a part does not wipe what the test has prepared',
      file: join(consumer.folder, 'variants/parts.test.js'),
      written: [{ table: 'customers', in: 2, changed: 0, out: 0 }],
      holds: [],
    })
  })
})
