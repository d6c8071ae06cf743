import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeOn } from '../support/servers.ts'
import { announced, Consumer, pack, type Ran, unpack } from './consumer.ts'

/** One more skips itself. */
const PASSING = 41

let tarball: string
beforeAll(async () => {
  tarball = await pack()
})
afterAll(() => unpack(tarball))

function counted(state: 'passing' | 'failing' | 'pending', output: string): number {
  return Number(new RegExp(`^ *(\\d+) ${state}`, 'm').exec(output)?.[1] ?? 0)
}

for (const major of [12, 10]) {
  describe(`mocha ${major}`, () => {
    let consumer: Consumer
    beforeAll(async () => {
      consumer = await Consumer.install('mocha-basic', tarball, major === 12 ? [] : [`mocha@${major}`])
    })
    afterAll(() => consumer.remove())

    // On a busy machine, mocha's two seconds may pass until a test has connected.
    const mocha = (args: readonly string[], env: Record<string, string> = {}): Promise<Ran> =>
      consumer.node('node_modules/mocha/bin/mocha.js', ['--timeout', '60000', ...args], env)
    const ALL = ['--require', 'afresh/mocha', 'tests/*.test.*']

    /** The harness process of a run ends after it. */
    const nothingIsLeft = () => expect.poll(() => consumer.leftovers(), { timeout: 20_000 }).toEqual([])

    describeOn('embedded:18', () => {
      it.each([
        ['in one process', []],
        ['in several', ['--parallel', '--jobs', '3']],
      ])('every test finds the baseline, whatever the order, %s', async (_, args) => {
        const { exitCode, output } = await mocha([...args, ...ALL])
        expect(exitCode, output).toBe(0)
        expect(counted('passing', output), output).toBe(PASSING)
        expect(counted('pending', output)).toBe(1)
        expect(announced(output)).toEqual([expect.stringContaining('embedded')])
        expect(output).toMatch(/^afresh: \d+ resets, .* leases? of \d databases?;/m)
        await nothingIsLeft()
      })

      it('without the resets they fail', async () => {
        const { exitCode, output } = await mocha(['--require', './variants/no-reset.cjs', 'tests/*.test.*'])
        expect(exitCode).not.toBe(0)
        expect(counted('failing', output), output).toBeGreaterThan(PASSING / 2)
      })

      it('fails the test that leaves a transaction open, and no other', async () => {
        const { exitCode, output } = await mocha(['--require', 'afresh/mocha', 'variants/leaks.cjs'])
        expect(exitCode).toBe(1)
        expect(counted('failing', output), output).toBe(1)
        expect(output).toContain('"leaks > leaves a transaction open" ended and still held')
        expect(output).toMatch(/open transaction: process \d+ \(the leak\)/)
        expect(output).toContain('✔ 1: finds the baseline')
        expect(output).toContain('✔ 2: finds the baseline')
        await nothingIsLeft()
      })

      it('runs neither the test nor its hooks after a reset that failed, and goes on with the next', async () => {
        const { exitCode, output } = await mocha(['--require', 'afresh/mocha', 'variants/blocked.cjs'], {
          AFRESH_TEST_LEAKS: 'ignore',
        })
        expect(exitCode).toBe(1)
        expect([counted('passing', output), counted('failing', output)], output).toEqual([2, 1])
        expect(output).toMatch(
          /ResetError: The reset failed\.[\s\S]*\(the leak, user \w+\), idle in transaction/,
        )
        expect(output).not.toContain('it was run')
        await nothingIsLeft()
      })
    })

    it('says what is wrong with the configuration, before a test is loaded', async () => {
      const broken = consumer.copy()
      try {
        rmSync(join(broken.folder, 'afresh.config.ts'))
        writeFileSync(join(broken.folder, 'tests/loaded.test.cjs'), "console.log('it was loaded')")
        const { exitCode, output } = await broken.node('node_modules/mocha/bin/mocha.js', ALL)
        expect(exitCode).not.toBe(0)
        expect(output).toContain('AfreshError: There is no afresh.config.ts')
        expect(output).not.toContain('it was loaded')
        await expect.poll(() => broken.leftovers(), { timeout: 20_000 }).toEqual([])
      } finally {
        broken.remove()
      }
    })
  })
}
