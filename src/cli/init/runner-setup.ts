import type { Choices } from './choices.ts'
import { type ConfigPatch, configPatch, type Entry, type InsertionPoint } from './config-patch.ts'
import { diffOfEdits, linesOf } from './diff.ts'
import { jestTransform } from './jest-transform.ts'
import { RUN } from './migrations.ts'
import { filesOf, hasOptionsInPackage, type ProjectInfo, type RunnerName } from './project-info.ts'
import type { ProposedFile } from './proposed-file.ts'
import { configExtension, jestConfig, MOCHA_CONFIG, mochaModule, VITEST_CONFIG } from './templates.ts'

/** What a runner needs to use afresh. */
export interface RunnerSetup {
  readonly files: readonly ProposedFile[]
  readonly additions: readonly ConfigPatch[]
  /** Command that runs the tests. */
  readonly run: string
}

export function runnerSetup(facts: ProjectInfo, choices: Choices): RunnerSetup {
  return SETUPS[choices.runner.value](facts, choices)
}

const SETUPS: Readonly<Record<RunnerName, (facts: ProjectInfo, choices: Choices) => RunnerSetup>> = {
  vitest(facts, { language }) {
    const run = `${RUN[facts.packageManager.value]} vitest run`
    const [path] = filesOf(facts, 'vitest')
    if (path !== undefined) return { files: [], additions: vitestAddition(facts, path), run }
    // Without "type": "module", Vite warns about a module whose extension lacks the `m`.
    const prefix = facts.isModule ? '' : 'm'
    const extension = language.value === 'TypeScript' ? 'ts' : 'js'
    return {
      files: [{ path: `vitest.config.${prefix}${extension}`, contents: VITEST_CONFIG }],
      additions: [],
      run,
    }
  },

  jest(facts, { language }) {
    const run = `${RUN[facts.packageManager.value]} jest`
    const [path] = filesOf(facts, 'jest')
    if (path !== undefined)
      return { files: [], additions: addTo(facts, path, JEST_ENTRIES, jestPlace(path)), run }
    if (hasOptionsInPackage(facts, 'jest')) {
      return { files: [], additions: addTo(facts, 'package.json', JEST_ENTRIES, JEST_IN_PACKAGE), run }
    }
    const transform = language.value === 'TypeScript' ? jestTransform(facts)?.line : undefined
    const contents = jestConfig(facts.isModule, transform)
    return { files: [{ path: 'jest.config.js', contents }], additions: [], run }
  },

  'node:test'(facts) {
    return { files: [], additions: nodeTestScript(facts), run: NODE_TEST }
  },

  mocha(facts, choices) {
    const run = `${RUN[facts.packageManager.value]} mocha`
    const [config = `afresh.config.${configExtension(choices)}`] = filesOf(facts, 'afresh')
    const module = { path: MOCHA_MODULE, contents: mochaModule(config) }
    const [path] = filesOf(facts, 'mocha')
    if (path !== undefined) return { files: [module], additions: mochaAddition(facts, path), run }
    if (hasOptionsInPackage(facts, 'mocha')) {
      return {
        files: [module],
        additions: addTo(facts, 'package.json', MOCHA_ENTRIES, MOCHA_IN_PACKAGE),
        run,
      }
    }
    return { files: [module, { path: '.mocharc.json', contents: MOCHA_CONFIG }], additions: [], run }
  },
}

const VITEST_ENTRIES: readonly Entry[] = [
  { key: 'globalSetup', value: 'afresh/vitest/global-setup', isList: true },
  { key: 'setupFiles', value: 'afresh/vitest/reset', isList: true },
]
const VITEST_PLACE: InsertionPoint = {
  anchor: /^\s*test:\s*\{/,
  around: { anchor: /^.*\bdefineConfig\(\{|^export default \{/, key: 'test' },
}

function vitestAddition(facts: ProjectInfo, path: string): readonly ConfigPatch[] {
  const isVites = path.startsWith('vite.') && !facts.files.get(path)?.includes('vitest')
  return addTo(facts, path, VITEST_ENTRIES, VITEST_PLACE).map((addition) => ({
    ...addition,
    notes: [
      ...addition.notes,
      ...(isVites ? [`For the type of \`test\` import defineConfig from 'vitest/config' in ${path}.`] : []),
    ],
  }))
}

const JEST_ENTRIES: readonly Entry[] = [
  { key: 'globalSetup', value: 'afresh/jest/global-setup', isList: false },
  { key: 'globalTeardown', value: 'afresh/jest/global-teardown', isList: false },
  { key: 'setupFilesAfterEnv', value: 'afresh/jest/reset', isList: true },
]
const COMBINE = 'docs/jest.md, "A global setup of your own"'
const JEST_IN_PACKAGE: InsertionPoint = { anchor: /^\s*"jest":\s*\{/, isJson: true, combine: COMBINE }

function jestPlace(path: string): InsertionPoint {
  return path.endsWith('.json')
    ? { anchor: /^\s*\{/, isJson: true, combine: COMBINE }
    : {
        combine: COMBINE,
        anchor: /^(?:module\.exports\s*=|export default|(?:const|let|var) \w*[cC]onfig\b[^=]*=)[^{]*\{/,
      }
}

const MOCHA_MODULE = 'afresh.mocha.mjs'
const MOCHA_ENTRIES: readonly Entry[] = [{ key: 'require', value: `./${MOCHA_MODULE}`, isList: true }]
const MOCHA_IN_PACKAGE: InsertionPoint = { anchor: /^\s*"mocha":\s*\{/, isJson: true }

function mochaAddition(facts: ProjectInfo, path: string): readonly ConfigPatch[] {
  if (/\.ya?ml$/.test(path)) {
    if (facts.files.get(path)?.includes(MOCHA_MODULE)) return []
    return [
      { path, diff: [], notes: [`Add ./${MOCHA_MODULE} to \`require\` in ${path}, first in the list.`] },
    ]
  }
  const isJson = path.includes('.json')
  const anchor = isJson ? /^\s*\{/ : /^module\.exports\s*=\s*\{/
  return addTo(facts, path, MOCHA_ENTRIES, { anchor, isJson })
}

const NODE_TEST = 'node --import afresh/node-test --test'

/** A patch of package.json: changes the script that runs the tests, or adds one. */
function nodeTestScript(facts: ProjectInfo): readonly ConfigPatch[] {
  const text = facts.files.get('package.json') ?? ''
  if (text.includes('afresh/node-test')) return []
  const lines = linesOf(text)
  const line = lines.findIndex((line) => /^\s*"[\w:-]+":\s*".*\bnode\b.*\s--test\b/.test(line))
  if (line !== -1) {
    const becomes = [(lines[line] ?? '').replace(/(\s)--test\b/, '$1--import afresh/node-test --test')]
    return [
      { path: 'package.json', diff: diffOfEdits('package.json', lines, [{ line, becomes }]), notes: [] },
    ]
  }
  const script = {
    key: facts.scripts.has('test') ? 'test:database' : 'test',
    value: NODE_TEST,
    isList: false,
  }
  return addTo(facts, 'package.json', [script], {
    anchor: /^\s*"scripts":\s*\{/,
    around: { anchor: /^\s*\{/, key: 'scripts' },
    isJson: true,
  })
}

function addTo(
  facts: ProjectInfo,
  path: string,
  entries: readonly Entry[],
  point: InsertionPoint,
): readonly ConfigPatch[] {
  const addition = configPatch(path, facts.files.get(path) ?? '', entries, point)
  return addition === undefined ? [] : [addition]
}
