import { describe, expect, it } from 'vitest'
import type { ConfigPatch } from '../../../src/cli/init/config-patch.ts'
import { facts, proposed } from './project.ts'

/** Applies a unified diff to a text, at the lines that the diff names. */
function applied(text: string, diff: readonly string[]): string {
  const before = text.split('\n')
  const after: string[] = []
  let index = 0
  for (const line of diff.slice(2)) {
    const start = /^@@ -(\d+),/.exec(line)?.[1]
    if (start !== undefined) {
      after.push(...before.slice(index, Number(start) - 1))
      index = Number(start) - 1
    } else if (line.startsWith('+')) after.push(line.slice(1))
    else {
      expect(before[index]).toBe(line.slice(1))
      if (line.startsWith(' ')) after.push(line.slice(1))
      index++
    }
  }
  return [...after, ...before.slice(index)].join('\n')
}

function additionIn(path: string, text: string, scripts: Record<string, string> = {}): ConfigPatch {
  const runner = path === 'package.json' && Object.keys(scripts).length > 0 ? 'node:test' : undefined
  const packages = path.startsWith('vit') ? ['vitest'] : ['jest']
  const given = facts({ packages, files: { [path]: text }, scripts })
  const { additions, files } = proposed(given, runner === undefined ? {} : { runner })
  expect(files.map((file) => file.path)).not.toContain(path)
  const [addition] = additions
  if (addition === undefined) throw new Error(`nothing is to be added to ${path}`)
  return addition
}

describe('the lines to add to an existing file', () => {
  it.each([
    [
      'an empty configuration',
      'vitest.config.ts',
      `export default defineConfig({})\n`,
      `export default defineConfig({ test: { globalSetup: ['afresh/vitest/global-setup'], setupFiles: ['afresh/vitest/reset'] } })\n`,
    ],
    [
      'one with other options',
      'vite.config.ts',
      `export default defineConfig({\n\tplugins: [react()],\n})\n`,
      `export default defineConfig({\n\ttest: {\n\t\tglobalSetup: ['afresh/vitest/global-setup'],\n\t\tsetupFiles: ['afresh/vitest/reset'],\n\t},\n\tplugins: [react()],\n})\n`,
    ],
    [
      'one with options of tests, in double quotes',
      'vitest.config.ts',
      `import { defineConfig } from "vitest/config"\nexport default defineConfig({\n  test: {\n    globals: true,\n  },\n})\n`,
      `import { defineConfig } from "vitest/config"\nexport default defineConfig({\n  test: {\n    globalSetup: ["afresh/vitest/global-setup"],\n    setupFiles: ["afresh/vitest/reset"],\n    globals: true,\n  },\n})\n`,
    ],
    [
      'options of tests in one line',
      'vitest.config.ts',
      `export default defineConfig({\n  test: { globals: true },\n})`,
      `export default defineConfig({\n  test: { globalSetup: ['afresh/vitest/global-setup'], setupFiles: ['afresh/vitest/reset'], globals: true },\n})`,
    ],
    [
      'setup files of its own',
      'vitest.config.ts',
      `export default defineConfig({\n  test: {\n    a: 1,\n    b: 2,\n    c: 3,\n    d: 4,\n    setupFiles: ['./setup.ts'],\n    globalSetup: './global.ts',\n  },\n})`,
      `export default defineConfig({\n  test: {\n    a: 1,\n    b: 2,\n    c: 3,\n    d: 4,\n    setupFiles: ['afresh/vitest/reset', './setup.ts'],\n    globalSetup: ['afresh/vitest/global-setup', './global.ts'],\n  },\n})`,
    ],
    [
      'setup files one a line, far from the rest',
      'vitest.config.ts',
      `export default defineConfig({\n  test: {\n    a: 1,\n    b: 2,\n    c: 3,\n    d: 4,\n    setupFiles: [\n      './setup.ts',\n    ],\n  },\n})`,
      `export default defineConfig({\n  test: {\n    globalSetup: ['afresh/vitest/global-setup'],\n    a: 1,\n    b: 2,\n    c: 3,\n    d: 4,\n    setupFiles: [\n      'afresh/vitest/reset',\n      './setup.ts',\n    ],\n  },\n})`,
    ],
    [
      'jest',
      'jest.config.js',
      `module.exports = {\n  preset: 'ts-jest',\n}\n`,
      `module.exports = {\n  globalSetup: 'afresh/jest/global-setup',\n  globalTeardown: 'afresh/jest/global-teardown',\n  setupFilesAfterEnv: ['afresh/jest/reset'],\n  preset: 'ts-jest',\n}\n`,
    ],
    [
      'jest in package.json',
      'package.json',
      `{\n  "name": "x",\n  "jest": {\n    "preset": "ts-jest"\n  }\n}\n`,
      `{\n  "name": "x",\n  "jest": {\n    "globalSetup": "afresh/jest/global-setup",\n    "globalTeardown": "afresh/jest/global-teardown",\n    "setupFilesAfterEnv": ["afresh/jest/reset"],\n    "preset": "ts-jest"\n  }\n}\n`,
    ],
  ])('%s', (_, path, before, after) => {
    const { diff, notes } = additionIn(path, before)
    expect(notes).toEqual(path === 'vite.config.ts' ? [expect.stringContaining('vitest/config')] : [])
    expect(applied(before, diff)).toBe(after)
  })

  it.each([
    [
      'the script that runs node:test now',
      `{\n  "scripts": {\n    "test": "node --test test/"\n  }\n}\n`,
      { test: 'node --test test/' },
      `{\n  "scripts": {\n    "test": "node --import afresh/node-test --test test/"\n  }\n}\n`,
    ],
    [
      'one more script',
      `{\n  "scripts": {\n    "test": "exit 1"\n  }\n}\n`,
      { test: 'exit 1' },
      `{\n  "scripts": {\n    "test:database": "node --import afresh/node-test --test",\n    "test": "exit 1"\n  }\n}\n`,
    ],
  ])('%s', (_, before, scripts, after) => {
    expect(applied(before, additionIn('package.json', before, scripts).diff)).toBe(after)
  })

  it('leaves single-valued options to the user', () => {
    const { diff, notes } = additionIn(
      'jest.config.js',
      `module.exports = {\n  globalSetup: './mine.js',\n}\n`,
    )
    expect(diff.join('\n')).not.toContain('jest/global-setup')
    expect(diff.join('\n')).toContain('jest/reset')
    expect(notes).toEqual([expect.stringMatching(/globalSetup of its own/)])
  })

  it.each([
    ['that is made by a function', 'export default make()'],
    ['whose options are too close together', `export default defineConfig({ test: { setupFiles: ['a'] } })`],
    ['that is empty', ''],
  ])('shows the lines without position for a configuration %s', (_, text) => {
    const { diff, notes } = additionIn('vitest.config.ts', text)
    expect(diff.filter((line) => line.startsWith('@@'))).toEqual([])
    expect(diff.slice(2).map((line) => line.trim())).toEqual([
      '+  test: {',
      `+    globalSetup: ['afresh/vitest/global-setup'],`,
      `+    setupFiles: ['afresh/vitest/reset'],`,
      '+  },',
    ])
    expect(notes).toHaveLength(1)
  })

  it('are none if the file already has them', () => {
    const text = `test: { globalSetup: ['afresh/vitest/global-setup'], setupFiles: ["afresh/vitest/reset"] }`
    const { additions, files } = proposed(facts({ files: { 'vitest.config.js': text } }))
    expect(additions).toEqual([])
    expect(files.map(({ path }) => path)).not.toContain('vitest.config.mjs')
  })
})
