import { expect, it } from 'vitest'
import { RunStatistics } from '../../src/runner/core/run-statistics.ts'

const facts = { title: 'PostgreSQL 18.4 embedded', isTemplateNew: true, startMs: 500 }

it('names the server and the template only, if no worker asked for a database', () => {
  expect(new RunStatistics().summary(facts)).toEqual([
    'PostgreSQL 18.4 embedded: template built, ready in 500 ms',
  ])
  expect(new RunStatistics().summary({ ...facts, isTemplateNew: false })).toEqual([
    'PostgreSQL 18.4 embedded: template kept, ready in 500 ms',
  ])
})

it('counts leases, databases and resets', async () => {
  const statistics = new RunStatistics(0)
  for (const name of ['a', 'b', 'a']) {
    await statistics.measure(false, async () => statistics.leased(name))
    await statistics.measure(true, async () => {})
    statistics.released()
  }
  const [, second] = statistics.summary(facts, 2_000)
  expect(second).toMatch(
    /^3 resets, median \d+\.\d ms, slowest \d+\.\d ms; 3 leases of 2 databases; \d+ m?s of 2\.0 s in afresh \(\d+ %\)$/,
  )
})

it('measures a request that fails too', async () => {
  const statistics = new RunStatistics(0)
  statistics.leased('a')
  const failing = statistics.measure(true, () => Promise.reject(new Error('blocked')))
  await expect(failing).rejects.toThrow('blocked')
  expect(statistics.summary(facts, 1_000).at(-1)).toMatch(/^1 reset, /)
})
