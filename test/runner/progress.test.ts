import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeOn } from '../support/servers.ts'
import { Consumer, pack, type Ran, unpack } from './consumer.ts'

let tarball: string
beforeAll(async () => {
  tarball = await pack()
})
afterAll(() => unpack(tarball))

/** Milliseconds from the first step of the start to the handle for the workers, as the summary says. */
function readyMs(output: string): number {
  const [, number, unit] =
    /afresh: .*: template (?:built|kept), ready in ([\d.]+) (ms|s)\b/.exec(output) ?? []
  return Number(number) * (unit === 's' ? 1000 : 1)
}

const progressLines = (output: string) => output.match(/^(?:# )?afresh: .* …$/gm) ?? []

interface Runner {
  readonly title: string
  readonly project: string
  /** The major version of Node that it needs, if not that of the tests. */
  readonly node?: number
  run(consumer: Consumer, env: Record<string, string>): Promise<Ran>
  /** Whether the second begins before the harness does: with the start of the process that keeps it. */
  readonly countsFromItsOwnStart?: true
}

const NODE_TEST = ['--test', '--test-reporter=spec', 'tests/customers.test.mjs', 'tests/products.test.mjs']
const GLOBAL_SETUP = '--test-global-setup=variants/global-setup.mjs'

const RUNNERS: readonly Runner[] = [
  { title: 'vitest', project: 'vitest-basic', run: (consumer, env) => consumer.vitest(env) },
  { title: 'jest', project: 'jest-basic', run: (consumer, env) => consumer.jest([], env) },
  {
    title: 'node:test with its global setup',
    project: 'node-test-basic',
    node: 24,
    countsFromItsOwnStart: true,
    run: (consumer, env) => consumer.node('--import', ['afresh/node-test', GLOBAL_SETUP, ...NODE_TEST], env),
  },
]

/** With a migration that takes 1.5 s. */
async function slowly(consumer: Consumer, run: () => Promise<Ran>): Promise<Ran> {
  const path = join(consumer.folder, 'db/schema.sql')
  const schema = readFileSync(path, 'utf8')
  // Another text each time: the cluster of an unchanged baseline is kept.
  writeFileSync(path, `SELECT pg_sleep(1.5), '${randomUUID()}';\n${schema}`)
  try {
    return await run()
  } finally {
    writeFileSync(path, schema)
  }
}

describeOn('embedded:18', (server) => {
  describe.each(RUNNERS)('$title', ({ project, node, run, countsFromItsOwnStart }) => {
    let consumer: Consumer
    beforeAll(async () => {
      consumer = await Consumer.install(project, tarball)
      if (node !== undefined && !process.version.startsWith(`v${node}.`)) await consumer.onNode(node)
    })
    afterAll(() => consumer.remove())

    it('says what a slow start does, and sums the run up', async () => {
      const { exitCode, output } = await slowly(consumer, () => run(consumer, {}))
      expect(exitCode, output).toBe(0)
      expect(progressLines(output), output).toContain('afresh: migrating 1/1: db/schema.sql …')
      expect(output).toMatch(/^afresh: PostgreSQL 18\S* embedded .*: template built, ready in [\d.]+ s$/m)
      expect(output).toMatch(
        /^afresh: \d+ resets, median [\d.]+ m?s, slowest [\d.]+ m?s; \d+ leases of \d databases?; [\d.]+ m?s of [\d.]+ s in afresh \(\d+ %\)$/m,
      )
    })

    it('says nothing before a second has passed', async () => {
      const env = { AFRESH_TEST_SERVER: server.url }
      await run(consumer, env)
      const { exitCode, output } = await run(consumer, env)
      expect(exitCode, output).toBe(0)
      expect(output).toMatch(/^afresh: PostgreSQL 18.*: template kept, ready in /m)
      // A busy machine may take longer, and then there has to be a line.
      const took = readyMs(output)
      if (took < 900 && !countsFromItsOwnStart) expect(progressLines(output), output).toEqual([])
      if (took > 2_500) expect(progressLines(output), output).not.toEqual([])
    })
  })

  it('node:test without it says what a slow start does', async () => {
    const consumer = await Consumer.install('node-test-basic', tarball)
    const run = () => consumer.node('--import', ['afresh/node-test', ...NODE_TEST])
    const { exitCode, output } = await slowly(consumer, run)
    consumer.remove()
    expect(exitCode, output).toBe(0)
    expect(progressLines(output), output).toContain('afresh: migrating 1/1: db/schema.sql …')
  })

  it('`progress: false` prints neither line nor summary', async () => {
    const consumer = await Consumer.install('vitest-basic', tarball)
    const config = join(consumer.folder, 'afresh.config.ts')
    writeFileSync(config, readFileSync(config, 'utf8').replace('migrate:', 'progress: false,\n  migrate:'))
    const { exitCode, output } = await slowly(consumer, () => consumer.vitest())
    consumer.remove()
    expect(exitCode, output).toBe(0)
    expect(output.match(/^afresh: .*$/gm)).toEqual([expect.stringMatching(/embedded \(.*\)$/)])
  })
})
