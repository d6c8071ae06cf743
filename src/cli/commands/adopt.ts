import { RefusedError } from '../../errors.ts'
import { adopt, type Candidate } from '../../harness/adopt.ts'
import { ask, someoneIsThere } from '../ask.ts'
import { defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import { attachOptions, withUrl } from '../options.ts'
import { aligned, count, listed, type Output } from '../output.ts'

interface AdoptFlags {
  readonly url: string
  readonly confirm?: string
}

export const adoptCommand = defineCommand<AdoptFlags>({
  notes: `
From then on, afresh may delete everything in it. The command first shows what the database contains. It refuses standbys,
servers on other machines, databases with other sessions, and NODE_ENV=production with exit code 3.
Afresh creates its own databases. Adopt one only if it cannot.

  afresh adopt --url postgres://localhost/shop_test
  afresh adopt --url … --confirm NAME#SYSTEM_IDENTIFIER     without a terminal; \`afresh doctor --url …\` shows it`,
  options: (command) =>
    withUrl(command).option(
      '--confirm <name#id>',
      'the name and system identifier, instead of typing the name',
    ),

  async run({ url, confirm }, output) {
    const { allow = [] } = await attachOptions({}, output)
    const result = await adopt(url, {
      allow,
      confirm: confirm ?? ((candidate) => askPerson(candidate, output)),
    })
    const { engine, database, tablesWithRows, wasMarked } = result
    output.document({ engine, database, tablesWithRows, wasMarked })
    output.line(
      wasMarked
        ? `"${database}" was marked before: afresh may reset it. Nothing was changed.`
        : `"${database}" is marked: afresh may delete everything in it from now on.`,
    )
    return EXIT.done
  },
})

/** Shows on stderr what would be lost, because stdout is for the result. */
async function askPerson(candidate: Candidate, output: Output): Promise<string> {
  const { database, engine, tables, tablesWithRows, confirmation } = candidate
  if (!someoneIsThere()) {
    throw new RefusedError(
      `"${database}" (${engine}) has rows in ${tablesWithRows.length} of ${count(tables, 'table')}, and there is no ` +
        'terminal at which a person could type its name.',
      { next: 'Have a person run it in a terminal; see `afresh adopt --help` for where there is none.' },
    )
  }
  const rows: [string, string][] = [
    ['database', `${database} (${engine})`],
    ['tables', `${tables}, ${tablesWithRows.length} with rows`],
    ...(tablesWithRows.length > 0 ? [['rows in', listed(tablesWithRows, 400)] as [string, string]] : []),
  ]
  for (const line of aligned(rows, '')) process.stderr.write(`${line}\n`)
  process.stderr.write(
    `\n${output.style.bold('Everything in it may be deleted from then on, without asking again.')}\n`,
  )
  const typed = (await ask('Type the name of the database to hand it over: ')) ?? ''
  if (typed === database) return confirmation
  throw new RefusedError(
    typed === ''
      ? 'No name was typed: nothing was changed.'
      : `"${typed}" is not its name: nothing was changed.`,
    { next: 'Type the name exactly as shown above, if everything in it may be lost.' },
  )
}
