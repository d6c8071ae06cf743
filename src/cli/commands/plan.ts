import { type PlanView, planReset } from '../../harness/plan-view.ts'
import { defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import { attachOptions, type ResetFlags, withResetFlags, withUrl } from '../options.ts'
import type { Output } from '../output.ts'
import { writeOrder, writePlanSummary, writeSteps } from '../plan-text.ts'

interface PlanFlags extends ResetFlags {
  readonly url: string
  readonly sql?: boolean
}

export const planCommand = defineCommand<PlanFlags>({
  notes: `
The current contents are the baseline, as in the test hooks. The command only reads, so it accepts any
database, also one that afresh would refuse to reset.

  afresh plan --url postgres://localhost/shop
  afresh plan --url mysql://root@localhost/shop --keep 'schema_migrations,audit_*' --sql`,
  options: (command) =>
    withResetFlags(withUrl(command)).option('--sql', 'show the statements of each step (always in --json)'),

  async run({ url, sql, ...flags }, output) {
    const plan = await planReset(url, await attachOptions(flags, output))
    output.document(plan)
    writePlan(plan, { sql: sql === true }, output)
    return EXIT.done
  },
})

function writePlan(plan: PlanView, { sql }: { sql: boolean }, output: Output): void {
  const { style } = output
  writePlanSummary(plan, output)
  output.line()
  output.line(style.bold('Tables in reset order, children before parents'))
  writeOrder(plan, output)
  output.line()
  output.line(style.bold('Steps: a reset runs only those whose table or sequence is dirty'))
  writeSteps(plan, { sql }, output)
  if (!plan.marked) {
    output.line()
    output.line(
      `"${plan.database}" has no ownership mark, so afresh cannot reset it (see afresh adopt --help).`,
    )
  }
}
