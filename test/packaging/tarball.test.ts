/** What `npm pack` and a git dependency produce from a clone that was not built. */
import { exec, execFile, execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const run = promisify(execFile)
/** Milliseconds. Each of the two slow tests builds everything. */
const TIMEOUT_MS = 600_000

/** npm passes its command and folder to scripts in these variables. Those of the test run would mislead. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$|NODE_ENV$|VITEST)/i.test(name)),
)

let folder: string
let clone: string

/** Copies the files that git tracks or would add, as they are now, and the packages installed here. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'afresh-clone-'))
  clone = join(folder, 'afresh')
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  for (const file of execFileSync('git', list, { cwd: ROOT, encoding: 'utf8' }).split('\0')) {
    if (file === '' || !existsSync(join(ROOT, file))) continue
    cpSync(join(ROOT, file), join(clone, file), { recursive: true })
  }
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'), 'junction')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** @param prefix the project that npm installs into; `npm run` would set it to the clone */
function prepare(prefix: string) {
  return promisify(exec)(manifest.scripts.prepare, {
    cwd: clone,
    env: { ...environment, npm_config_local_prefix: prefix },
  })
}

interface Manifest {
  readonly bin: Record<string, string>
  readonly exports: Record<string, unknown>
  readonly scripts: { readonly prepare: string }
}

const manifest: Manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

/** All files that package.json declares as loadable. */
function targetsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(targetsOf) : []
}

it('npm ci of a clone builds nothing', async () => {
  await prepare(clone)
  expect(existsSync(join(clone, 'dist'))).toBe(false)
})

it(
  'npm pack includes everything that package.json and the licences name',
  async () => {
    const { stdout } = await run('npm', ['pack', '--json', '--silent'], { cwd: clone, env: environment })
    // The output of scripts precedes the JSON.
    const [packed]: { files: { path: string }[] }[] = JSON.parse(stdout.slice(stdout.search(/^\[/m)))
    const files = new Set(packed?.files.map(({ path }) => path))
    const targets = [...Object.values(manifest.bin), ...targetsOf(manifest.exports)]
    expect(targets.length).toBeGreaterThan(20)
    const required = [
      ...targets.map((target) => target.replace(/^\.\//, '')),
      'dist/bench/report-client.js',
      'dist/runner/jest/worker.cjs',
      'dist/runner/core/harness-process/main.js',
      'dist/runner/core/app/launcher.js',
      'docs/openapi.json',
      'docs/clients/conftest.py',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'THIRD-PARTY-NOTICES.txt',
      ...['ci', 'erase', 'jest', 'node-test', 'vitest'].map((page) => `docs/${page}.md`),
      ...execFileSync('git', ['ls-files', 'fixtures/demo'], { cwd: ROOT, encoding: 'utf8' })
        .trim()
        .split('\n'),
    ]
    expect(required.filter((file) => !files.has(file))).toEqual([])
    const folders = new Set([...files].map((file) => (dirname(file) === '.' ? file : file.split('/')[0])))
    expect([...folders].sort()).toEqual(
      [
        'CHANGELOG.md',
        'LICENSE',
        'README.md',
        'THIRD-PARTY-NOTICES.txt',
        'dist',
        'docs',
        'fixtures',
        'package.json',
      ].sort(),
    )
  },
  TIMEOUT_MS,
)

// npm installs a git dependency from a clone in its cache for another project: it runs `prepare` there, not
// `prepack`.
it(
  'installing from git builds the package',
  async () => {
    rmSync(join(clone, 'dist'), { recursive: true, force: true })
    await prepare(folder)
    const targets = [...Object.values(manifest.bin), ...targetsOf(manifest.exports)]
    expect(targets.filter((file) => !existsSync(join(clone, file)))).toEqual([])
  },
  TIMEOUT_MS,
)
