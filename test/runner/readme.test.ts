import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { projectCommands, projectFiles, readPages } from '../support/documentation.ts'
import { Consumer, pack, type Ran, unpack } from './consumer.ts'

const pages = readPages()
const files = projectFiles(pages)
const programs = pages
  .flatMap(({ blocks }) => blocks)
  .filter(({ mark }) => mark.kind === 'run')
  .map(({ mark, text, location }) => ({ project: mark.value, text, location }))

/** The output of the runner when all tests pass. */
const PROJECTS: Readonly<Record<string, RegExp>> = {
  vitest: /Tests {2}5 passed/,
  jest: /Tests: +5 passed/,
  'jest-own': /Tests: +2 passed/,
  'node-test': /^[#ℹ] pass 3$/m,
  mocha: /2 passing/,
  ava: /2 tests passed/,
  tap: /# \{ total: 2, pass: 2 \}/,
  cucumber: /2 scenarios \(2 passed\)/,
  bun: /^ *2 pass$/m,
  deno: /2 passed/,
  playwright: /2 passed/,
  pglite: /Tests {2}2 passed/,
  fixtures: /Tests {2}2 passed/,
  snapshots: /Tests {2}3 passed/,
}

const RUNNERS = [
  ...['jest@30', 'mocha@12', 'ava@7', '@playwright/test@1', 'tap@21', '@cucumber/cucumber@12'],
  // What `bun` and `deno` would install with scripts.
  ...['@oven/bun-linux-x64@1', '@deno/linux-x64-glibc@2'],
]

/** The commands for a new user. */
const [install = '', ...commands] = projectCommands(pages.slice(0, 1), 'init')

/** The packages that the README installs, with afresh from this tree. */
function packages(tarball: string): string[] {
  const [, names = ''] = /^npm install --save-dev (afresh .*)$/.exec(install) ?? []
  return names.split(' ').map((name) => (name === 'afresh' ? tarball : name))
}

describe('the documentation, followed to the letter', () => {
  let tarball: string
  let project: Consumer

  beforeAll(async () => {
    tarball = await pack()
    project = await Consumer.empty([...packages(tarball), ...RUNNERS, '@electric-sql/pglite'])
  }, 600_000)
  afterAll(() => {
    project.remove()
    unpack(tarball)
  })

  it('`afresh init` writes the files that are shown, and their tests pass', async () => {
    expect(commands).toEqual(['npx afresh init', 'npx vitest run'])
    const empty = project.copy()
    const { exitCode: written, output: said } = await empty.afresh(['init', '--runner', 'vitest'])
    expect(written, said).toBe(0)
    expect(said).not.toContain('npm install')
    const shown = files.filter((file) => file.project === 'init')
    expect(new Set(shown.map(({ name }) => name)).size).toBe(4)
    for (const { name, contents } of shown) {
      expect([name, readFileSync(join(empty.folder, name), 'utf8')]).toEqual([name, contents])
    }
    const { exitCode, output } = await empty.vitest()
    expect(output).toMatch(/2 passed/)
    expect(output).not.toMatch(/warn|\(!\)/i)
    expect(exitCode).toBe(0)
    expect(empty.leftovers()).toEqual([])
    empty.remove()
  })

  it.each(programs)('the program in $location runs', async ({ project: name, text }) => {
    const copy = projectNamed(name)
    writeFileSync(join(copy.folder, 'program.mjs'), text)
    const { exitCode, output } = await copy.node('program.mjs')
    expect(`${exitCode} ${output}`).toMatch(/^0 /)
    copy.remove()
  })

  it.each(Object.entries(PROJECTS))('the project for %s passes', async (name, passed) => {
    const copy = projectNamed(name)
    const given = projectCommands(pages, name).filter((command) => !command.startsWith('npm install'))
    expect(given).not.toEqual([])
    for (const command of given) {
      const { exitCode, output } = await runIn(copy, command)
      expect(exitCode, output).toBe(0)
      expect(output).toMatch(passed)
    }
    await expect.poll(() => copy.leftovers(), { timeout: 20_000 }).toEqual([])
    copy.remove()
  })

  it('every project is tested', () => {
    const tested = new Set(['init', 'erase', ...Object.keys(PROJECTS)])
    expect(files.filter((file) => !tested.has(file.project))).toEqual([])
  })

  /** Adds the configuration and the migration that `afresh init` writes, unless the page has its own. */
  function projectNamed(name: string): Consumer {
    const copy = project.copy()
    const own = files.filter((file) => file.project === name)
    const shared = files.filter(
      (file) => file.project === 'init' && /^afresh\.config|^migrations/.test(file.name),
    )
    const isConfigured = own.some((file) => file.name.startsWith('afresh.config'))
    const all = [...shared.filter((file) => !(isConfigured && /config/.test(file.name))), ...own]
    for (const file of all) {
      const path = join(copy.folder, file.name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, file.contents)
    }
    return copy
  }
})

/** Runs `npx PROGRAM …` or `node …` as the shell would. */
function runIn(project: Consumer, command: string): Promise<Ran> {
  const [program = '', ...args] = command.split(' ')
  const [first = '', ...others] = args
  if (program === 'node') return project.node(first, others)
  if (program === 'bun') return project.program('@oven/bun-linux-x64/bin/bun', args)
  if (program === 'deno') return project.program('@deno/linux-x64-glibc/deno', args)
  if (program === 'npx') return project.node(`node_modules/.bin/${first}`, others)
  throw new Error(`nothing is known of the command ${command}`)
}
