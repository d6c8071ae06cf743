import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeOn } from '../support/servers.ts'
import { announced, Consumer, pack, type Ran, unpack } from './consumer.ts'

/** Subtests count, too; one test skips itself. */
const TESTS = 73

let tarball: string
beforeAll(async () => {
  tarball = await pack()
})
afterAll(() => unpack(tarball))

/** `12` of `# pass 12`, in whatever way this Node reports. */
function counted(state: 'pass' | 'fail' | 'skipped', output: string): number {
  return Number(new RegExp(`^[#ℹ] ${state} (\\d+)$`, 'm').exec(output)?.[1] ?? -1)
}

/** What it wrote in lines of JSON. */
const said = (output: string) =>
  output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)

for (const major of [20, 24]) {
  describe(`node ${major}`, () => {
    let consumer: Consumer
    beforeAll(async () => {
      consumer = await Consumer.install('node-test-basic', tarball)
      if (Number.parseInt(process.versions.node, 10) !== major) await consumer.onNode(major)
    })
    afterAll(() => consumer.remove())

    const files = () => readdirSync(join(consumer.folder, 'tests')).map((name) => `tests/${name}`)
    const run = (args: readonly string[], env: Record<string, string> = {}): Promise<Ran> =>
      consumer.node('--import', ['afresh/node-test', ...args], env)
    const runAll = (args: readonly string[] = [], env: Record<string, string> = {}): Promise<Ran> =>
      run(['--test', '--test-concurrency=4', ...args, ...files()], env)

    /** The harness process of a run ends after it. */
    const nothingIsLeft = () => expect.poll(() => consumer.leftovers(), { timeout: 20_000 }).toEqual([])

    async function passes({ exitCode, output }: Ran, tests: number): Promise<void> {
      expect(exitCode, output).toBe(0)
      expect(counted('pass', output), output).toBe(tests)
      expect(announced(output)).toEqual([expect.stringContaining('embedded')])
      await nothingIsLeft()
    }

    describeOn('embedded:18', () => {
      it('is the one that runs', async () => {
        const { stdout } = await consumer.node('-p', ['process.versions.node'])
        expect(Number.parseInt(stdout, 10)).toBe(major)
      })

      it('every test finds the baseline, whatever the order, in files side by side', async () => {
        const ran = await runAll()
        await passes(ran, TESTS - 1)
        expect(counted('skipped', ran.output)).toBe(1)
      })

      it('without the resets they fail', async () => {
        const { exitCode, output } = await runAll([], { NO_RESET: '1' })
        expect(exitCode).toBe(1)
        expect(counted('fail', output), output).toBeGreaterThan(TESTS / 4)
        await nothingIsLeft()
      })

      it('runs a file on its own, with --import or without', async () => {
        await passes(await run(['tests/orders.test.cjs']), 15)
        await passes(await consumer.node('variants/on-its-own.mjs'), 2)
      })

      it('fails the test that leaves something open, which hinders nobody, and writes what each test wrote', async () => {
        const { exitCode, output } = await run(['--test', 'variants/leaks.mjs'], {
          AFRESH_TEST_LEAKS: 'end',
          AFRESH_TEST_WRITES: 'writes.jsonl',
        })
        expect(exitCode).toBe(1)
        expect(counted('pass', output), output).toBe(2)
        expect(output).toContain('"leaves a transaction open" ended and still held')
        const lines = readFileSync(join(consumer.folder, 'writes.jsonl'), 'utf8').trimEnd().split('\n')
        expect(lines.map((line) => JSON.parse(line).test)).toContain('1: finds the baseline')
        await nothingIsLeft()
      })

      it('refuses concurrent tests instead of wiping their rows', async () => {
        const { exitCode, output } = await run(['--test', 'variants/concurrent.mjs'])
        expect(exitCode).toBe(1)
        expect(counted('pass', output), output).toBe(2)
        expect(counted('fail', output)).toBe(2)
        expect(output).toMatch(/"a concurrent suite > the second" runs concurrently with "[^"]+ > the first"/)
        await nothingIsLeft()
      })

      it('lets tests with a database each run side by side, and has no part in the coverage', async () => {
        await passes(await run(['--test', '--experimental-test-coverage', 'variants/with-database.mjs']), 8)
      })

      it('leaves the processes and threads alone that a test starts', async () => {
        await passes(await run(['--test', 'variants/child.mjs']), 2)
      })

      it('stays up in watch mode, until the baseline changes', async () => {
        const { exitCode, output } = await consumer.node('variants/watch.mjs')
        expect(exitCode, output).toBe(0)
        const [first, again, changed] = said(output)
        expect(first).toMatchObject({ what: 'first', customers: 3 })
        expect(again).toEqual({ ...first, what: 'again' })
        expect(changed).toMatchObject({ what: 'changed', customers: 4 })
        expect(changed?.run).not.toBe(first?.run)
        await nothingIsLeft()
      })

      it.each([
        ['SIGINT', ['--test']],
        ['SIGKILL', ['--test']],
        ['SIGTERM', []],
      ])('leaves nothing when ended by %s (%j)', async (END, args) => {
        const { exitCode, output } = await run([...args, 'variants/killed.mjs'], { END })
        expect(exitCode, output).not.toBe(0)
        expect(announced(output), output).toHaveLength(1)
        await nothingIsLeft()
      })
    })

    // What does not depend on how Node runs tests is tried on one of them.
    if (major === 20) {
      it('says what is wrong with the configuration, and that require needs --import', async () => {
        const broken = consumer.copy()
        try {
          rmSync(join(broken.folder, 'afresh.config.ts'))
          const ran = await broken.node('--import', ['afresh/node-test', 'tests/orders.test.cjs'])
          expect(ran.exitCode).toBe(1)
          expect(ran.output).toContain('AfreshError: There is no afresh.config.ts')
          await expect.poll(() => broken.leftovers(), { timeout: 20_000 }).toEqual([])
          const { output } = await broken.node('tests/orders.test.cjs')
          expect(output).toContain("AfreshError: require('afresh/node-test') cannot wait for a server.")
        } finally {
          broken.remove()
        }
      })

      it('starts nothing for a run that has ended before', async () => {
        const { exitCode } = await consumer.node('--test', ['variants/orphan.mjs'], { SAYS: 'orphan.txt' })
        expect(exitCode).not.toBe(0)
        const orphan = join(consumer.folder, 'orphan.txt')
        const says = () => (existsSync(orphan) ? readFileSync(orphan, 'utf8') : '')
        await expect.poll(says, { timeout: 20_000 }).not.toBe('')
        expect(says()).toContain('AfreshError: The process that runs the tests has ended')
        expect(consumer.leftovers()).toEqual([])
      })

      const hasEnded = 'The process that keeps the server of this run has ended.'
      it.each([
        ['is killed', 4, hasEnded],
        ['fails', 4, hasEnded],
        // The second file finds what the first has left; a third would start a harness process again.
        ['is killed with its starter', 2, hasEnded],
        [
          'has no cleanup process',
          4,
          'The process that removes servers when this one is killed did not start.',
        ],
      ])('lets no file wait for a harness process that %s', async (HARNESS_PROCESS, count, problem) => {
        const { exitCode, output } = await run(
          ['--test', `--test-concurrency=${count}`, ...files().slice(0, count)],
          { HARNESS_PROCESS, NODE_OPTIONS: '--import=./variants/harness-process.mjs' },
        )
        expect(exitCode, output).toBe(1)
        expect(counted('fail', output), output).toBe(count)
        expect(output).toContain(`AfreshError: ${problem}`)
        await nothingIsLeft()
      })
    }

    if (major < 24) return
    describeOn('embedded:18', () => {
      it('runs all files in one process', async () => {
        // Node's own limit: a file that awaits its tests waits for ever there.
        const together = files().filter((name) => !name.includes('subtests'))
        await passes(await run(['--test', '--test-isolation=none', ...together]), 52)
      })

      it('with its global setup leaves nothing at the end of the run, in random order', async () => {
        const ran = await runAll(['--test-global-setup=variants/global-setup.mjs', '--test-randomize'])
        expect(consumer.leftovers()).toEqual([])
        await passes(ran, TESTS - 1)
      })
    })
  })
}
