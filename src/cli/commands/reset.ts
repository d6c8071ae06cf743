import { type EmptyDatabaseOptions, emptyDatabase, planToEmpty } from '../../harness/empty-database.ts'
import type { ResetReport } from '../../reset/report.ts'
import { defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import { attachOptions, type ResetFlags, withResetFlags, withUrl } from '../options.ts'
import { aligned, count, duration, listed, type Output } from '../output.ts'
import { writeOrder, writePlanSummary, writeSteps } from '../plan-text.ts'

interface ResetCommandFlags extends ResetFlags {
  readonly url: string
  readonly empty?: boolean
  readonly dryRun?: boolean
}

export const resetCommand = defineCommand<ResetCommandFlags>({
  notes: `
This command has no captured baseline, so it empties every table except those of --keep. It stops before that if a
migration tool's table has rows: keep that table, or pass --empty.
The database must carry afresh's mark: afresh created it, or a person adopted it (afresh adopt). Any other is
refused with exit code 3, and stays unchanged.

  afresh reset --url postgres://localhost/shop_test --keep schema_migrations
  afresh reset --url postgres://localhost/shop_test --dry-run`,
  options: (command) =>
    withResetFlags(withUrl(command))
      .option('--empty', 'empty the tables of migration tools too')
      .option('--dry-run', 'show what would be done; change nothing'),

  async run({ url, empty, dryRun, ...flags }, output) {
    const options: EmptyDatabaseOptions = {
      ...(await attachOptions(flags, output)),
      migrationTables: empty === true,
    }
    if (dryRun === true) await showPlan(url, options, output)
    else {
      const report = await emptyDatabase(url, options)
      output.document(report)
      writeReport(report, output)
    }
    return EXIT.done
  },
})

async function showPlan(url: string, options: EmptyDatabaseOptions, output: Output): Promise<void> {
  const plan = await planToEmpty(url, options)
  output.document(plan)
  writePlanSummary(plan, output)
  output.line()
  writeOrder(plan, output)
  output.line()
  writeSteps(plan, { sql: true }, output)
  output.line()
  output.line('A dry run: nothing was changed.')
}

function writeReport({ dirty, steps, durationMs }: ResetReport, output: Output): void {
  if (dirty.length === 0) {
    output.line(`Every table is empty and every sequence at its start already (${duration(durationMs)}).`)
    return
  }
  output.line(output.style.bold(`Emptied in ${duration(durationMs)}`))
  const rows = steps.map(({ step, rows: touched, truncated }): [string, string] => [
    step,
    truncated ? 'by TRUNCATE' : touched === undefined ? '' : count(touched, 'row'),
  ])
  for (const line of aligned(rows)) output.line(line)
  output.line(output.style.dim(`  dirty: ${listed(dirty, output.width - 10)}`))
}
