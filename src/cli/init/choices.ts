import { SERVERS, type ServerEngine } from '../../engine/registry.ts'
import { chooseDatabase, type DatabaseChoice } from './database.ts'
import { chooseMigrations, type MigrationsChoice } from './migrations.ts'
import {
  type Choice,
  filesOf,
  firstPackage,
  type ProjectInfo,
  type RequestedChoices,
  type RunnerName,
} from './project-info.ts'

export type Language = 'TypeScript' | 'JavaScript'

/** Everything that the proposed files depend on. */
export interface Choices extends DatabaseChoice {
  readonly runner: Choice<RunnerName>
  /** The package through which the example test accesses the database. */
  readonly client: Choice<string>
  readonly migrate: MigrationsChoice
  readonly language: Choice<Language>
}

/**
 * @throws AfreshError `usage` if afresh has no server for what the project uses, or for what was requested
 */
export function choose(project: ProjectInfo, requested: RequestedChoices): Choices {
  const database = chooseDatabase(project, requested)
  return {
    ...database,
    runner: chooseRunner(project, requested),
    client: chooseClient(project, database.engine.value),
    migrate: chooseMigrations(project),
    language: chooseLanguage(project),
  }
}

const SCRIPTS: readonly (readonly [RegExp, RunnerName])[] = [
  [/\bvitest\b/, 'vitest'],
  [/\bjest\b/, 'jest'],
  [/\bnode\b[^&|;]*\s--test\b/, 'node:test'],
  [/\bmocha\b/, 'mocha'],
]

function chooseRunner(project: ProjectInfo, requested: RequestedChoices): Choice<RunnerName> {
  if (requested.runner !== undefined) return { value: requested.runner, reason: 'as requested' }
  const scripts = [...project.scripts].sort(([a], [b]) => Number(b === 'test') - Number(a === 'test'))
  for (const [name, script] of scripts) {
    const runner = SCRIPTS.find(([pattern]) => pattern.test(script))?.[1]
    if (runner !== undefined) return { value: runner, reason: `the script "${name}" runs it` }
  }
  for (const runner of ['vitest', 'jest', 'mocha'] as const) {
    const config = filesOf(project, runner).find((file) => /^(vitest|jest|\.mocharc)\./.test(file))
    if (config !== undefined) return { value: runner, reason: `${config} is there` }
    if (project.packages.has(runner)) return { value: runner, reason: `package.json has ${runner}` }
  }
  return { value: 'vitest', reason: 'no runner is there yet' }
}

function chooseClient(project: ProjectInfo, engine: ServerEngine): Choice<string> {
  const { clients, driver } = SERVERS[engine].project
  const client = Object.keys(clients).find((name) => project.packages.has(name))
  return client === undefined
    ? { value: driver, reason: 'what afresh itself connects with' }
    : { value: client, reason: `package.json has ${client}` }
}

const TYPESCRIPT_PACKAGES = ['typescript', 'ts-jest', 'ts-node', 'tsx', '@types/node']

function chooseLanguage(project: ProjectInfo): Choice<Language> {
  const file = [...project.files.keys()].find((name) => name === 'tsconfig.json' || /\.[mc]?ts$/.test(name))
  if (file !== undefined) return { value: 'TypeScript', reason: `${file} is there` }
  const found = firstPackage(project, TYPESCRIPT_PACKAGES)
  return found === undefined
    ? { value: 'JavaScript', reason: 'no sign of TypeScript' }
    : { value: 'TypeScript', reason: `package.json has ${found}` }
}
