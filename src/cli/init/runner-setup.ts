import type { Choices } from './choices.ts'
import { type ConfigPatch, configPatch, type Entry, type InsertionPoint } from './config-patch.ts'
import { diffOfEdits, linesOf } from './diff.ts'
import { jestTransform } from './jest-transform.ts'
import { RUN } from './migrations.ts'
import { filesOf, hasOptionsInPackage, type ProjectInfo, type RunnerName } from './project-info.ts'
import type { ProposedFile } from './proposed-file.ts'
import { jestConfig, MOCHA_CONFIG, VITEST_CONFIG } from './templates.ts'

/** What a runner needs to use afresh. */
export interface RunnerSetup {
  readonly files: readonly ProposedFile[]
  readonly additions: readonly ConfigPatch[]
  /** Command that runs the tests. */
  readonly run: string
}

export function runnerSetup(project: ProjectInfo, choices: Choices): RunnerSetup {
  return SETUPS[choices.runner.value](project, choices)
}

const SETUPS: Readonly<Record<RunnerName, (project: ProjectInfo, choices: Choices) => RunnerSetup>> = {
  vitest(project, { language }) {
    const run = `${RUN[project.packageManager.value]} vitest run`
    const [path] = filesOf(project, 'vitest')
    if (path !== undefined) return { files: [], additions: vitestAddition(project, path), run }
    // Without "type": "module", Vite warns about a module whose extension lacks the `m`.
    const prefix = project.isModule ? '' : 'm'
    const extension = language.value === 'TypeScript' ? 'ts' : 'js'
    return {
      files: [{ path: `vitest.config.${prefix}${extension}`, contents: VITEST_CONFIG }],
      additions: [],
      run,
    }
  },

  jest(project, { language }) {
    const run = `${RUN[project.packageManager.value]} jest`
    const [path] = filesOf(project, 'jest')
    if (path !== undefined)
      return { files: [], additions: addTo(project, path, JEST_ENTRIES, jestPlace(path)), run }
    if (hasOptionsInPackage(project, 'jest')) {
      return { files: [], additions: addTo(project, 'package.json', JEST_ENTRIES, JEST_IN_PACKAGE), run }
    }
    const transform = language.value === 'TypeScript' ? jestTransform(project)?.line : undefined
    const contents = jestConfig(project.isModule, transform)
    return { files: [{ path: 'jest.config.js', contents }], additions: [], run }
  },

  'node:test'(project) {
    return { files: [], additions: nodeTestScript(project), run: NODE_TEST }
  },

  mocha(project) {
    const run = `${RUN[project.packageManager.value]} mocha`
    const [path] = filesOf(project, 'mocha')
    if (path !== undefined) return { files: [], additions: mochaAddition(project, path), run }
    if (hasOptionsInPackage(project, 'mocha')) {
      return { files: [], additions: addTo(project, 'package.json', MOCHA_ENTRIES, MOCHA_IN_PACKAGE), run }
    }
    return { files: [{ path: '.mocharc.json', contents: MOCHA_CONFIG }], additions: [], run }
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

function vitestAddition(project: ProjectInfo, path: string): readonly ConfigPatch[] {
  const isVites = path.startsWith('vite.') && !project.files.get(path)?.includes('vitest')
  return addTo(project, path, VITEST_ENTRIES, VITEST_PLACE).map((addition) => ({
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

const MOCHA_MODULE = 'afresh/mocha'
const MOCHA_ENTRIES: readonly Entry[] = [{ key: 'require', value: MOCHA_MODULE, isList: true }]
const MOCHA_IN_PACKAGE: InsertionPoint = { anchor: /^\s*"mocha":\s*\{/, isJson: true }

function mochaAddition(project: ProjectInfo, path: string): readonly ConfigPatch[] {
  if (/\.ya?ml$/.test(path)) {
    if (project.files.get(path)?.includes(MOCHA_MODULE)) return []
    return [{ path, diff: [], notes: [`Add ${MOCHA_MODULE} to \`require\` in ${path}, first in the list.`] }]
  }
  const isJson = path.includes('.json')
  const anchor = isJson ? /^\s*\{/ : /^module\.exports\s*=\s*\{/
  return addTo(project, path, MOCHA_ENTRIES, { anchor, isJson })
}

const NODE_TEST = 'node --import afresh/node-test --test'

/** A patch of package.json: changes the script that runs the tests, or adds one. */
function nodeTestScript(project: ProjectInfo): readonly ConfigPatch[] {
  const text = project.files.get('package.json') ?? ''
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
    key: project.scripts.has('test') ? 'test:database' : 'test',
    value: NODE_TEST,
    isList: false,
  }
  return addTo(project, 'package.json', [script], {
    anchor: /^\s*"scripts":\s*\{/,
    around: { anchor: /^\s*\{/, key: 'scripts' },
    isJson: true,
  })
}

function addTo(
  project: ProjectInfo,
  path: string,
  entries: readonly Entry[],
  point: InsertionPoint,
): readonly ConfigPatch[] {
  const addition = configPatch(path, project.files.get(path) ?? '', entries, point)
  return addition === undefined ? [] : [addition]
}
