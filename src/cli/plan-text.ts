import type { PlanView } from '../harness/plan-view.ts'
import { aligned, count, inColumns, listed, type Output, printable } from './output.ts'

/** Longer labels are shortened in the list of tables. */
const LABEL_LENGTH = 40

const COSTS: Readonly<Record<PlanView['costs'], string>> = {
  measured: 'measured on this server, or on one of the same version and settings',
  assumed: 'not measured on this server, which createHarness does: those of another machine',
}

/** Prints a plan in a few lines. */
export function writePlanSummary(plan: PlanView, output: Output): void {
  const tables = plan.order.flat().length + plan.kept.length
  const rows = plan.tablesWithRows.length
  const lines: [string, string][] = [
    ['database', `${plan.database} (${plan.engine})`],
    [
      'catalog',
      [
        count(tables, 'table'),
        count(plan.foreignKeys, 'foreign key'),
        count(plan.sequences, 'sequence'),
      ].join(', '),
    ],
    [
      'rows',
      rows === 0
        ? 'none in any table'
        : `in ${rows} of ${count(tables, 'table')}: ${listed(plan.tablesWithRows, output.width - 40)}`,
    ],
    ['strategy', `${plan.strategy}, sequences ${plan.sequenceMode}`],
    ...(plan.strategy === 'auto' && plan.steps.some((step) => step.truncateTables !== undefined)
      ? [['costs', COSTS[plan.costs]] as [string, string]]
      : []),
    [
      'constraints',
      plan.mode === 'unchecked'
        ? 'foreign keys and triggers are off while it runs'
        : 'foreign keys stay on (no privilege to disable them): rows are deleted children first',
    ],
  ]
  output.line(output.style.bold('Plan'))
  for (const line of aligned(lines)) output.line(line)
}

/** Prints the order as a numbered list in columns, then cycles, self-references and kept tables. */
export function writeOrder(plan: PlanView, output: Output): void {
  const selves = new Set(plan.selfReferencing)
  const digits = String(plan.order.length).length
  const cells = plan.order.map((group, index) => {
    const labels = group.map((label) => `${printable(label, LABEL_LENGTH)}${selves.has(label) ? ' ↺' : ''}`)
    return `${String(index + 1).padStart(digits)}  ${labels.join(' ⇄ ')}`
  })
  for (const line of inColumns(cells, output.width)) output.line(line)
  const notes: [string, string][] = [
    ...plan.cycles.map((cycle): [string, string] => ['⇄', `a cycle: ${listed(cycle, output.width)}`]),
    ...(selves.size > 0 ? [['↺', 'refers to itself'] as [string, string]] : []),
    ...plan.kept.map(({ table, reason }): [string, string] => ['kept', `${printable(table)}: ${reason}`]),
  ]
  if (notes.length > 0) output.line()
  for (const line of aligned(notes)) output.line(output.style.dim(line))
}

export function writeSteps(plan: PlanView, { sql }: { readonly sql: boolean }, output: Output): void {
  const width = Math.min(60, Math.max(0, ...plan.steps.map(({ step }) => step.length)))
  for (const [index, { step, reason, sql: statements }] of plan.steps.entries()) {
    const number = String(index + 1).padStart(4)
    output.line(`${number}  ${printable(step).padEnd(width)}  ${output.style.dim(reason)}`)
    if (!sql) continue
    for (const line of statements.split('\n')) output.line(output.style.dim(`        ${line.trim()}`))
  }
}
