import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Consumer, pack, unpack } from './consumer.ts'

const README = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')

const blocks = [...README.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map(([, language = '', text = '']) => ({
  language,
  text,
}))

/** The blocks that begin with the name of a file, without that line: `// vitest.config.mjs`. */
const files = new Map(
  blocks.flatMap(({ text }) => {
    const [, name, contents] = /^(?:\/\/|--) (\S+\.\w+)\n([\s\S]*)$/.exec(text) ?? []
    return name === undefined || contents === undefined ? [] : [[name, contents] as const]
  }),
)

/** The programs: what is in TypeScript is no file of the project. */
const programs = blocks.filter(({ language }) => language === 'ts')

/** The commands that a new user gives. */
const [install = '', ...commands] =
  blocks
    .find(({ language }) => language === 'sh')
    ?.text.trim()
    .split('\n') ?? []

/** What the README says to install, with the package from this tree. */
function packages(tarball: string): string[] {
  const [, names = ''] = /^npm install --save-dev (afresh .*)$/.exec(install) ?? []
  return names.split(' ').map((name) => (name === 'afresh' ? tarball : name))
}

describe('the README, followed to the letter in an empty folder', () => {
  let tarball: string
  let project: Consumer

  beforeAll(async () => {
    tarball = await pack()
    project = await Consumer.empty([...packages(tarball), '@electric-sql/pglite'])
  })
  afterAll(() => {
    project.remove()
    unpack(tarball)
  })

  it('writes the files that it shows, and gives passing tests', async () => {
    expect(commands).toEqual(['npx afresh init', 'npx vitest run'])
    const { exitCode: written, output: said } = await project.afresh(['init'])
    expect(written, said).toBe(0)
    expect(said).not.toContain('npm install')
    expect(files.size).toBe(4)
    for (const [name, contents] of files) {
      expect([name, readFileSync(join(project.folder, name), 'utf8')]).toEqual([name, contents])
    }
    const { exitCode, output } = await project.vitest()
    expect(output).toMatch(/2 passed/)
    expect(output).not.toMatch(/warn|\(!\)/i)
    expect(exitCode).toBe(0)
    expect(project.leftovers()).toEqual([])
  })

  it('gives programs that run', async () => {
    expect(programs.length).toBe(3)
    for (const { text } of programs) {
      const { exitCode, output } = await project.node('--input-type=module', ['-e', text])
      expect(`${exitCode} ${output}`).toMatch(/^0 /)
    }
  })
})
