/**
 * In: what the project has, and what was chosen.
 * Out: the files that `init` proposes.
 * Called by `commands/init.ts`, which then writes them (`write.ts`).
 */
import type { Command } from '../../baseline/load.ts'
import type { Choices } from './choices.ts'
import type { ConfigPatch } from './config-patch.ts'
import { exampleTest } from './example-test.ts'
import { installCommand } from './install.ts'
import { runsTypeScript } from './jest-transform.ts'
import type { Migrations } from './migrations.ts'
import { filesOf, type ProjectInfo } from './project-info.ts'
import type { ProposedFile } from './proposed-file.ts'
import { runnerSetup } from './runner-setup.ts'
import { configExtension, configText, exampleMigration } from './templates.ts'

/** What `afresh init` would do. */
export interface Proposal {
  /** Existing files are not changed. */
  readonly files: readonly ProposedFile[]
  /** What the user must add to existing files. */
  readonly additions: readonly ConfigPatch[]
  /** Command that installs missing packages; `undefined` if none are missing. */
  readonly install: string | undefined
  /** Command that runs the tests. */
  readonly run: string
  readonly notes: readonly string[]
}

const EXAMPLE_FOLDER = 'migrations'

export function propose(project: ProjectInfo, choices: Choices): Proposal {
  const { files, additions, run } = runnerSetup(project, choices)
  const rest = { additions, run, install: installCommand(project, choices) }
  const [config] = filesOf(project, 'afresh')
  if (config !== undefined) {
    // The existing configuration may have its migrations anywhere, so examples would not fit.
    const note = `${config} already exists: it is left unchanged, and no examples are written.`
    return { ...rest, files, notes: [note] }
  }
  const { migrate } = choices
  return {
    ...rest,
    files: [configFile(choices), ...files, ...examples(project, choices)],
    notes: [
      ...(migrate.note === undefined ? [] : [migrate.note]),
      ...(hasPassword(choices)
        ? ['The URL of --server has a password, which the configuration now holds.']
        : []),
    ],
  }
}

function configFile(choices: Choices): ProposedFile {
  return {
    path: `afresh.config.${configExtension(choices)}`,
    contents: configText(choices.server.value, migrateOption(choices.migrate.value)),
  }
}

function migrateOption(migrations: Migrations): string | Command | undefined {
  switch (migrations.kind) {
    case 'command': {
      const { command, inputs } = migrations
      return inputs === undefined ? command : { command, inputs }
    }
    case 'sql':
      return migrations.path
    case 'example':
      return EXAMPLE_FOLDER
    case 'unknown':
      return undefined
  }
}

function examples(project: ProjectInfo, choices: Choices): ProposedFile[] {
  const { engine, migrate } = choices
  const migration = { path: `${EXAMPLE_FOLDER}/0001_users.sql`, contents: exampleMigration(engine.value) }
  return [...(migrate.value.kind === 'example' ? [migration] : []), testFile(project, choices)]
}

const SUBJECTS = { command: 'tables', sql: 'tables', example: 'users', unknown: 'database' } as const

function testFile(project: ProjectInfo, choices: Choices): ProposedFile {
  const extension = testExtension(project, choices)
  const name = `database.test.${extension}`
  // mocha looks for tests nowhere else.
  const folder = project.testFolder ?? (choices.runner.value === 'mocha' ? 'test' : undefined)
  return {
    path: folder === undefined ? name : `${folder}/${name}`,
    contents: exampleTest({
      engine: choices.engine.value,
      client: choices.client.value,
      runner: choices.runner.value,
      isTypeScript: extension === 'ts',
      isCommonJs: choices.runner.value === 'jest' && extension !== 'ts',
      subject: SUBJECTS[choices.migrate.value.kind],
    }),
  }
}

/** In a language that the runner can run in its current setup. */
function testExtension(project: ProjectInfo, { runner, language }: Choices): string {
  const isTypeScript = language.value === 'TypeScript'
  if (runner.value === 'node:test' || runner.value === 'mocha') return 'mjs'
  if (runner.value === 'vitest') return isTypeScript ? 'ts' : 'js'
  if (isTypeScript && runsTypeScript(project)) return 'ts'
  return project.isModule ? 'cjs' : 'js'
}

function hasPassword({ server }: Choices): boolean {
  return server.value.kind === 'existing' && new URL(server.value.url).password !== ''
}
