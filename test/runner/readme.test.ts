import { readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Consumer, pack } from './consumer.ts'

const README = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')

const blocks = [...README.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map(([, language = '', text = '']) => ({
  language,
  text,
}))

/** The blocks that begin with the name of a file: `// vitest.config.ts`. */
const files = new Map(
  blocks.flatMap(({ text }) => {
    const name = /^(?:\/\/|--) (\S+\.\w+)\n/.exec(text)?.[1]
    return name === undefined ? [] : [[name, text] as const]
  }),
)

/** The programs: everything in TypeScript that is no file of the project. */
const programs = blocks.filter(
  ({ language, text }) => language === 'ts' && ![...files.values()].includes(text),
)

/** What the README says to install, with the package from this tree. */
function packages(tarball: string): string[] {
  const command = /^npm install --save-dev (afresh .*)$/m.exec(README)?.[1] ?? ''
  return command.split(' ').map((name) => (name === 'afresh' ? tarball : name))
}

describe('the README, followed to the letter in an empty folder', () => {
  let tarball: string
  let project: Consumer

  beforeAll(async () => {
    tarball = await pack()
    project = await Consumer.fromFiles(files, [...packages(tarball), '@electric-sql/pglite'])
  })
  afterAll(() => {
    project.remove()
    rmSync(dirname(tarball), { recursive: true, force: true })
  })

  it('gives passing tests', async () => {
    expect([...files.keys()]).toEqual(['afresh.config.ts', 'vitest.config.ts', 'schema.sql', 'users.test.ts'])
    const { exitCode, output } = await project.vitest()
    expect(output).toMatch(/2 passed/)
    expect(exitCode).toBe(0)
    expect(project.leftovers()).toEqual([])
  })

  it('gives programs that run', async () => {
    expect(programs.length).toBe(2)
    for (const { text } of programs) {
      const { exitCode, output } = await project.node('--input-type=module', ['-e', text])
      expect(`${exitCode} ${output}`).toMatch(/^0 /)
    }
  })
})
