/** Tests of a real application in a real browser. `npm run soak:consumers -- --only e2e` runs them twenty times. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHROMIUM_NAMES, chromiumPath } from '../support/chromium-path.ts'
import { leftOut, remedy } from '../support/left-out.ts'
import { describeOn } from '../support/servers.ts'
import { announced, Consumer, pack, unpack } from './consumer.ts'

const TESTS = 60
const reason = leftOut('chromium')

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function counted(state: 'passed' | 'failed', output: string): number {
  return Number(new RegExp(`^ *(\\d+) ${state}`, 'm').exec(output)?.[1] ?? 0)
}

describeOn('embedded:18', () => {
  it('Cypress: its tasks reset the database of a running application', async () => {
    const tarball = await pack()
    const consumer = await Consumer.install('e2e', tarball)
    try {
      const { exitCode, stdout, output } = await consumer.node('variants/cypress-tasks.mjs')
      expect(exitCode, output).toBe(0)
      const { application } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
      // It ends with the process of the plugins, as the server does.
      await expect.poll(() => isRunning(application), { timeout: 20_000 }).toBe(false)
      await expect.poll(() => consumer.leftovers(), { timeout: 20_000 }).toEqual([])
    } finally {
      consumer.remove()
      unpack(tarball)
    }
  })

  describe.skipIf(reason !== undefined)(
    `Playwright${reason === undefined ? '' : ` (chromium ${reason})`}`,
    () => {
      let tarball: string
      let consumer: Consumer
      beforeAll(async () => {
        if (chromiumPath() === undefined) {
          throw new Error(`none of ${CHROMIUM_NAMES.join(', ')} on the PATH\n  → ${remedy('chromium')}`)
        }
        tarball = await pack()
        consumer = await Consumer.install('e2e', tarball)
      })
      afterAll(() => {
        consumer?.remove()
        unpack(tarball)
      })

      /** The harness process of a run ends after it. */
      const nothingIsLeft = () => expect.poll(() => consumer.leftovers(), { timeout: 20_000 }).toEqual([])

      it('every test finds the baseline, whatever the order, in two workers with an application each', async () => {
        const { exitCode, output } = await consumer.playwright()
        expect(exitCode, output).toBe(0)
        expect(counted('passed', output), output).toBe(TESTS)
        expect(announced(output)).toEqual([expect.stringContaining('embedded')])
        expect(output).toMatch(/^afresh: 60 resets, .* 2 leases of 2 databases;/m)
        await nothingIsLeft()
      })

      it('without the resets they fail', async () => {
        const { exitCode, output } = await consumer.playwright({ NO_RESET: '1' }, ['--max-failures=5'])
        expect(exitCode).toBe(1)
        expect(counted('failed', output), output).toBeGreaterThanOrEqual(5)
        await nothingIsLeft()
      })

      it.each([
        ['an application for each worker', {}],
        ['one application', { ONE_APPLICATION: '1', APPLICATION_PORT: '3217' }],
      ])('names what the application left open, which hinders no other test: %s', async (_, mode) => {
        const { exitCode, output } = await consumer.playwright({
          ...mode,
          WORKERS: '1',
          TESTS: 'variants',
          AFRESH_TEST_WRITES: 'writes.jsonl',
        })
        expect(exitCode).toBe(1)
        expect([counted('passed', output), counted('failed', output)], output).toEqual([4, 1])
        expect(output).toMatch(/"[^"]*makes the application forget a transaction" ended and still held/)
        expect(output).toMatch(/open transaction: process \d+ \(the application\), last: INSERT INTO guests/)
        const lines = readFileSync(join(consumer.folder, 'writes.jsonl'), 'utf8').trimEnd().split('\n')
        const late = lines.map((line) => JSON.parse(line)).find(({ test }) => /still works/.test(test))
        expect(late.writes.map(({ table }: { table: string }) => table)).toContain('guests')
        await nothingIsLeft()
      })

      it('refuses several workers with one application', async () => {
        const { exitCode, output } = await consumer.playwright(
          { ONE_APPLICATION: '1', APPLICATION_PORT: '3218', WORKERS: '2' },
          ['--max-failures=1'],
        )
        expect(exitCode).toBe(1)
        expect(output).toContain('2 workers share one application (webServer), and so one database')
        await nothingIsLeft()
      })

      it('shows what an application wrote that does not start', async () => {
        const { exitCode, output } = await consumer.playwright({}, [
          '--max-failures=1',
          '--config',
          'variants/broken.config.ts',
        ])
        expect(exitCode).toBe(1)
        expect(output).toContain('The application has ended (exit code 3): echo out of order; exit 3')
        expect(output).toContain('out of order')
        await nothingIsLeft()
      })
    },
  )
})
