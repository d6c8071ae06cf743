import { loadConfig } from '../../config/file.ts'
import { type Verification, verifyDatabase } from '../../harness/verify-database.ts'
import { defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import { attachOptions, collect, withUrl } from '../options.ts'
import { aligned, count, listed, type Output, printable } from '../output.ts'

interface VerifyFlags {
  readonly url: string
  readonly keep?: readonly string[]
  readonly template?: string
  readonly empty?: boolean
}

export const verifyCommand = defineCommand<VerifyFlags>({
  notes: `
Compares every row and every sequence by counts and hashes, and exits with 1 if anything differs. Changes nothing in
the database. One that afresh made for a run is compared with its template, of which a copy is made and dropped; any
other with what \`afresh reset\` would make of it: no rows, and sequences at their start.

  afresh verify --url "$DATABASE_URL"
  afresh verify --url postgres://localhost/shop_test --keep 'audit_*'`,
  options: (command) =>
    withUrl(command)
      .option('--keep <tables>', 'names or globs of tables to leave out, with commas between them', collect)
      .option('--template <name>', 'the template to compare with (default: that of its run or project)')
      .option('--empty', 'without a template: the tables of migration tools have to be empty too'),

  async run({ url, keep, template, empty }, output) {
    const { options: config } = await loadConfig(process.cwd())
    const options = await attachOptions(keep === undefined ? {} : { keep }, output)
    const verification = await output.during(() =>
      verifyDatabase(url, { ...options, config, template, migrationTables: empty === true }),
    )
    output.document(verification)
    write(verification, output)
    return verification.differences.length === 0 ? EXIT.done : EXIT.failed
  },
})

function write({ database, template, tables, leftOut, differences }: Verification, output: Output): void {
  const baseline =
    template === undefined ? 'no rows, and sequences at their start' : `the template ${template}`
  const rows = differences.map(({ subject, difference }) => [printable(subject), difference])
  for (const line of aligned(rows)) output.line(line)
  if (leftOut.length > 0)
    output.line(
      `Left out: ${listed(leftOut, output.width - 60)} (of a migration tool; --empty compares it too)`,
    )
  const compared = `"${database}": ${count(tables, 'table')} compared with ${baseline}`
  output.line(
    differences.length === 0
      ? output.style.good(`${compared}: no difference.`)
      : output.style.bad(`${compared}: ${count(differences.length, 'difference')}.`),
  )
}
