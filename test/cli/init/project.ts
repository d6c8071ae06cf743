import { choose } from '../../../src/cli/init/choices.ts'
import type { ProjectInfo, RequestedChoices } from '../../../src/cli/init/project-info.ts'
import { type Proposal, propose } from '../../../src/cli/init/proposal.ts'
import { migrateLabel, serverLabel } from '../../../src/cli/init/text.ts'

/** The facts of an empty folder, with the given differences. */
export function facts(
  some: Partial<Omit<ProjectInfo, 'packages' | 'files' | 'scripts'>> & {
    packages?: readonly string[]
    files?: Readonly<Record<string, string>>
    scripts?: Readonly<Record<string, string>>
  } = {},
): ProjectInfo {
  const { packages = [], files = {}, scripts = {}, ...rest } = some
  return {
    packages: new Set(packages),
    files: new Map(Object.entries(files)),
    scripts: new Map(Object.entries(scripts)),
    isModule: false,
    packageManager: { value: 'npm', reason: '' },
    sqlMigrations: [],
    otherMigrations: [],
    testFolder: undefined,
    dockerAnswers: false,
    ...rest,
  }
}

/** The choices without their reasons. */
export function chosen(given: ProjectInfo, asked: RequestedChoices = {}): Record<string, string> {
  const { engine, server, client, runner, migrate, language } = choose(given, asked)
  return {
    engine: engine.value,
    server: serverLabel(server.value),
    client: client.value,
    runner: runner.value,
    migrate: migrateLabel(migrate.value),
    language: language.value,
  }
}

export function proposed(given: ProjectInfo, asked: RequestedChoices = {}): Proposal {
  return propose(given, choose(given, asked))
}

/** The text of a proposed file. */
export function textOf({ files }: Proposal, path: string): string {
  const file = files.find((file) => file.path === path)
  if (file === undefined) throw new Error(`${path} is not among ${files.map((file) => file.path).join(', ')}`)
  return file.contents
}
