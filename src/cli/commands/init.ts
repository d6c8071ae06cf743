import { Option } from 'commander'
import { SERVER_ENGINES } from '../../engine/registry.ts'
import { ask, someoneIsThere } from '../ask.ts'
import { defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import { type Choices, choose } from '../init/choices.ts'
import { detectProject } from '../init/detect-project.ts'
import { diffOfNew } from '../init/diff.ts'
import { type ProjectInfo, type RequestedChoices, RUNNER_NAMES } from '../init/project-info.ts'
import { type Proposal, propose } from '../init/proposal.ts'
import type { ProposedFile } from '../init/proposed-file.ts'
import { migrateLabel, serverLabel, writeChoices, writeDiff } from '../init/text.ts'
import { isTaken, writeAll } from '../init/write.ts'
import { count, type Output } from '../output.ts'

interface InitFlags extends RequestedChoices {
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly json?: boolean
}

export const initCommand = defineCommand<InitFlags>({
  notes: `
Reads package.json, the lock file, configurations, migrations, compose files and .env examples. Shows the
files as a diff and asks before it writes them; without a terminal, and with --yes or --json, it does not
ask. It changes no existing file: for those, it shows the lines to add.

  afresh init
  afresh init --dry-run
  afresh init --engine mysql --runner jest
  afresh init --server postgres:17             or mysql:9.7, embedded, the URL of a server`,
  options: (command) =>
    command
      .addOption(new Option('--engine <engine>', 'the database (default: detected)').choices(SERVER_ENGINES))
      .addOption(new Option('--runner <runner>', 'the test runner (default: detected)').choices(RUNNER_NAMES))
      .option('--server <server>', 'an image, `embedded`, or a URL (default: detected)')
      .option('--dry-run', 'show what would be written; write nothing')
      .option('--yes', 'write without asking'),

  async run(flags, output) {
    const root = process.cwd()
    const project = await detectProject(root)
    const choices = choose(project, flags)
    const proposal = propose(project, choices)
    const files = await Promise.all(
      proposal.files.map(async (file) => ({ ...file, exists: await isTaken(root, file.path) })),
    )
    const fresh = files.filter(({ exists }) => !exists)
    writeProposal(project, choices, proposal, files, output)
    const asks = fresh.length > 0 && flags.dryRun !== true && flags.yes !== true && flags.json !== true
    const writes = fresh.length > 0 && flags.dryRun !== true && (!asks || (await confirmed(fresh)))
    if (writes) await writeAll(root, fresh)
    output.document(documentOf(project, choices, proposal, files, writes))
    writeOutcome(proposal, fresh, { writes, dryRun: flags.dryRun === true }, output)
    return EXIT.done
  },
})

interface LookedAt extends ProposedFile {
  readonly exists: boolean
}

function writeProposal(
  project: ProjectInfo,
  choices: Choices,
  { additions }: Proposal,
  files: readonly LookedAt[],
  output: Output,
): void {
  output.line(output.style.bold('Choices and reasons'))
  writeChoices(project, choices, output)
  for (const { path, contents, exists } of files) {
    output.line()
    if (exists) output.line(`${path} already exists: it is left unchanged.`)
    else writeDiff(diffOfNew(path, contents), output)
  }
  for (const { path, diff } of additions) {
    output.line()
    output.line(output.style.bold(`${path} already exists: it is left unchanged. Add these lines:`))
    writeDiff(diff, output)
  }
  output.line()
}

function writeOutcome(
  { additions, install, run, notes }: Proposal,
  fresh: readonly ProposedFile[],
  { writes, dryRun }: { readonly writes: boolean; readonly dryRun: boolean },
  output: Output,
): void {
  const paths = fresh.map(({ path }) => path).join(', ')
  if (writes) output.line(output.style.good(`Written: ${paths}.`))
  else if (fresh.length === 0) output.line('There is nothing to write.')
  else output.line(dryRun ? 'A dry run: nothing was written.' : 'Nothing was written.')
  for (const note of [...notes, ...additions.flatMap((addition) => addition.notes)])
    output.line(`Note: ${note}`)
  const steps = [
    ...(install === undefined ? [] : [install]),
    ...additions.map(({ path }) => `add the lines shown above to ${path}`),
    run,
  ]
  output.line()
  output.line(output.style.bold('Next'))
  for (const step of steps) output.line(`  ${step}`)
}

function documentOf(
  project: ProjectInfo,
  choices: Choices,
  { additions, install, run, notes }: Proposal,
  files: readonly LookedAt[],
  writes: boolean,
): object {
  const { server, migrate, ...others } = choices
  const { sqlMigrations, otherMigrations, testFolder, isModule, dockerAnswers } = project
  return {
    found: {
      files: [...project.files.keys()],
      packages: [...project.packages],
      sqlMigrations,
      otherMigrations,
      testFolder,
      isModule,
      dockerAnswers,
    },
    chosen: {
      ...others,
      server: { ...server, value: serverLabel(server.value) },
      migrate: { value: migrateLabel(migrate.value), reason: migrate.reason },
      packageManager: project.packageManager,
    },
    files: files.map(({ path, contents, exists }) => ({
      path,
      contents,
      exists,
      written: writes && !exists,
    })),
    additions: additions.map(({ path, diff, notes }) => ({ path, diff: diff.join('\n'), notes })),
    install,
    run,
    notes,
  }
}

async function confirmed(fresh: readonly ProposedFile[]): Promise<boolean> {
  if (!someoneIsThere()) return true
  const answer = await ask(`Write ${count(fresh.length, 'file')}? [Y/n] `)
  return answer !== undefined && /^(?:y|yes|)$/i.test(answer)
}
