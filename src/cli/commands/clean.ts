import { loadConfig } from '../../config/file.ts'
import { AfreshError } from '../../errors.ts'
import { type Cleaned, type CleanPlan, planClean } from '../../harness/clean.ts'
import { ask, someoneIsThere } from '../ask.ts'
import { defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import { size, writeDatabases } from '../inventory-text.ts'
import { count, type Output } from '../output.ts'

interface CleanFlags {
  readonly url?: string
  readonly caches?: boolean
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly json?: boolean
}

export const cleanCommand = defineCommand<CleanFlags>({
  notes: `
Drops what afresh made and is no longer used: databases of runs that have ended, templates (the next run builds its own
again), copies of databases of failed tests, servers that stay for those, and folders that killed runs left of embedded
servers. Looks at the same servers as \`afresh status\`.
Never drops a leased database, one of an active run, an adopted one, or one without a valid mark: the server
proves that before each drop. Containers of runs stay, and those with reuse. Shows the list, and asks; without a
terminal it needs --yes.

  afresh clean --dry-run
  afresh clean --yes
  afresh clean --url postgres://localhost/postgres      one server only
  afresh clean --caches                                 what is kept in the user's cache too`,
  options: (command) =>
    command
      .option('--url <url>', 'only the databases of afresh on this server')
      .option('--caches', "remove the user's cache too: it is filled again, which takes seconds")
      .option('--dry-run', 'show what would be removed; change nothing')
      .option('--yes', 'remove it without asking'),

  async run({ url, caches, dryRun, yes, json }, output) {
    const { options } = await loadConfig(process.cwd())
    const { plan, remove } = await output.during(() =>
      planClean({ url, caches: caches === true, config: options }),
    )
    writePlan(plan, output)
    const isEmpty = sizeOf(plan) === 0
    const removes = !isEmpty && dryRun !== true && (yes === true || (await confirmed(plan, json === true)))
    const done = removes ? await output.during(remove) : undefined
    output.document({ ...plan, dryRun: dryRun === true, ...(done ?? { dropped: [] }) })
    writeOutcome(plan, done, { dryRun: dryRun === true }, output)
    return done !== undefined && done.problems.length > 0 ? EXIT.failed : EXIT.done
  },
})

/** The number of things that would be removed. */
function sizeOf({ servers, folders, lingering, cache }: CleanPlan): number {
  const databases = servers.reduce((sum, { databases }) => sum + databases.length, 0)
  return databases + folders.length + lingering.length + (cache?.entries.length ?? 0)
}

function writePlan({ servers, folders, lingering, cache, problems }: CleanPlan, output: Output): void {
  for (const { title, databases } of servers) {
    output.line(output.style.bold(title))
    if (databases.length === 0) output.line('  nothing to drop')
    writeDatabases(databases, output)
  }
  for (const { folder } of folders) output.line(`${folder}: left by a killed run`)
  for (const { title, project } of lingering)
    output.line(`${title}: stays for databases of failed tests of ${project}`)
  for (const { name, bytes } of cache?.entries ?? []) output.line(`${cache?.folder}/${name}: ${size(bytes)}`)
  for (const problem of problems) output.line(`Not inspected: ${problem}`)
}

function writeOutcome(
  plan: CleanPlan,
  done: Cleaned | undefined,
  { dryRun }: { readonly dryRun: boolean },
  output: Output,
): void {
  if (sizeOf(plan) === 0) output.line('There is nothing to remove.')
  else if (done === undefined) {
    output.line(dryRun ? 'A dry run: nothing was removed.' : 'Nothing was removed.')
  } else {
    const ended = plan.lingering.length === 0 ? '' : `, and ended ${count(plan.lingering.length, 'server')}`
    output.line(output.style.good(`Dropped ${count(done.dropped.length, 'database')}${ended}.`))
    for (const problem of done.problems) output.line(output.style.bad(problem))
  }
}

async function confirmed(plan: CleanPlan, json: boolean): Promise<boolean> {
  if (json || !someoneIsThere()) {
    throw new AfreshError('usage', 'There is no terminal at which a person could say yes.', {
      next: 'Give --yes, or see with --dry-run what would be removed.',
    })
  }
  const answer = await ask(`Remove ${count(sizeOf(plan), 'thing')}? [y/N] `)
  return answer !== undefined && /^(?:y|yes)$/i.test(answer)
}
