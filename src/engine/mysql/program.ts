import { type Step, tablesOfStep } from '../../plan/plan.ts'
import { type SubjectId, type TableId, tableOf } from '../../schema/schema.ts'
import type { Outcome, Program } from '../resetter.ts'
import type { Baseline } from './baseline.ts'
import type { Found } from './detect.ts'
import { nextOf } from './flavor.ts'
import type { Result } from './mysql-connection.ts'
import { isTruncatable, sequenceOf, statementsOf, truncate } from './statements.ts'
import { suspended, type Trigger } from './triggers.ts'

/** One statement of a reset, and the index of its step. */
export interface Action {
  readonly sql: string
  readonly step: number | undefined
  /** Whether its number of rows counts for the step. */
  readonly counts: boolean
}

/** A step that a reset runs, with its statements. */
interface DueStep {
  readonly index: number
  readonly step: Step
  /** Whether it truncates in place of a deletion. */
  readonly truncated: boolean
  readonly statements: readonly string[]
}

/** The statements that a reset runs for what was found, in order. */
export function actionsFor(
  program: Program,
  baseline: Baseline,
  triggers: readonly Trigger[],
  {
    found,
    database,
    mayTruncate = true,
  }: { readonly found: Found; readonly database: string; readonly mayTruncate?: boolean },
): { readonly actions: Action[]; readonly ran: readonly DueStep[] } {
  const ran = dueSteps(
    {
      ...{ program, triggers, found, dirty: new Set(found.dirty), mayTruncate },
      restartedByTruncate: tablesRestartedByTruncate(program, found),
    },
    baseline,
  )
  const { before, after } = suspended(database, triggersFiredBy(ran, program, triggers))
  const isDdl = ({ step, truncated }: DueStep) => truncated || step.kind === 'truncate'
  const writes = ran.filter((due) => !isDdl(due) && due.step.kind !== 'restart')
  // TRUNCATE and ALTER commit implicitly, so rows change in one transaction between them.
  const rows = writes.filter(({ step }) => !isNonTransactional(program, step)).flatMap(actionsOf)
  return {
    ran,
    actions: [
      ...before.map(auxiliaryAction),
      ...ran.filter(isDdl).flatMap(actionsOf),
      // GTID consistency does not allow these tables to be written in one transaction with others.
      ...writes.filter(({ step }) => isNonTransactional(program, step)).flatMap(actionsOf),
      ...(rows.length === 0
        ? []
        : [auxiliaryAction('START TRANSACTION'), ...rows, auxiliaryAction('COMMIT')]),
      ...ran.filter(({ step }) => step.kind === 'restart').flatMap(actionsOf),
      ...after.map(auxiliaryAction),
    ],
  }
}

function isNonTransactional({ schema }: Program, step: Step): boolean {
  return tablesOfStep(step).some((id) => tableOf(schema, id).traits.includes('non-transactional'))
}

/** The outcome of a reset, from the result of each action. */
export function outcomeOf(
  why: string,
  found: Found,
  ran: readonly DueStep[],
  actions: readonly Action[],
  results: readonly Result[],
): Outcome {
  const rows = new Map<number, number>()
  for (const [position, { step, counts }] of actions.entries()) {
    if (step !== undefined && counts)
      rows.set(step, (rows.get(step) ?? 0) + (results[position]?.affected ?? 0))
  }
  return {
    detector: 'scan',
    why,
    dirty: found.dirty,
    ran: ran.map(({ index, truncated }) => ({ step: index, rows: rows.get(index), truncated })),
  }
}

interface SelectionContext {
  readonly program: Program
  readonly triggers: readonly Trigger[]
  readonly found: Found
  readonly dirty: ReadonlySet<SubjectId>
  readonly mayTruncate: boolean
  /** The tables whose counters have moved, and whose planned positions TRUNCATE restores. */
  readonly restartedByTruncate: ReadonlySet<TableId>
}

/** The steps of the plan that are due for what was found, in the order of the plan. */
function dueSteps(context: SelectionContext, baseline: Baseline): DueStep[] {
  const { schema, plan } = context.program
  const emptied = new Set<TableId>()
  const due: DueStep[] = []
  for (const [index, planned] of plan.steps.entries()) {
    if (!isDue(context, planned, emptied)) continue
    const step = context.mayTruncate ? planned : withoutTruncate(planned)
    const truncated = tablesToTruncate(context, step)
    for (const id of truncated.filter((id) => isTruncatable(tableOf(schema, id)))) emptied.add(id)
    const isAlternative = step.kind === 'delete' && truncated.length > 0
    const statements = isAlternative
      ? truncated.map((id) => truncate(tableOf(schema, id)))
      : statementsOf(schema, step, baseline.database)
    due.push({ index, step, truncated: isAlternative, statements })
  }
  return due
}

/**
 * A counter is also restarted after a TRUNCATE moved it, which the plan does not always foresee.
 *
 * @param emptied the tables that earlier steps truncate
 */
function isDue(
  { program: { schema }, found, dirty }: SelectionContext,
  step: Step,
  emptied: ReadonlySet<TableId>,
): boolean {
  if (step.kind !== 'restart') return step.when.some((subject) => dirty.has(subject))
  const { ownedBy, increment } = sequenceOf(schema, step.sequence)
  return ownedBy !== undefined && emptied.has(ownedBy.table)
    ? nextOf(step.to, increment) !== 1n
    : found.moved.has(step.sequence)
}

function withoutTruncate(step: Step): Step {
  return step.kind === 'truncate' ? { ...step, kind: 'delete', truncateAlternative: undefined } : step
}

type DeleteStep = Extract<Step, { kind: 'delete' }>

/** Those of a TRUNCATE, or of a deletion that TRUNCATE replaces. */
function tablesToTruncate(context: SelectionContext, step: Step): readonly TableId[] {
  if (step.kind === 'truncate') return step.tables
  if (step.kind !== 'delete' || !prefersTruncate(context, step)) return []
  return step.truncateAlternative?.tables ?? step.tables
}

function prefersTruncate(
  context: SelectionContext,
  { tables: ids, truncateAlternative }: DeleteStep,
): boolean {
  const { program, triggers, found, mayTruncate } = context
  const tables = ids.map((id) => tableOf(program.schema, id))
  if (!mayTruncate || program.plan.sequenceMode === 'keep' || !tables.every(isTruncatable)) return false
  const firesTrigger = tables.some(({ name }) =>
    triggers.some(({ table, event }) => table === name && event === 'DELETE'),
  )
  // TRUNCATE fires no triggers; dropping and creating them would cost more.
  if (firesTrigger) return true
  const [own] = tables
  if (truncateAlternative === undefined || own === undefined) return false
  const { aboveRows, aboveRowsIfMoved } = truncateAlternative.threshold
  const savesRestart = ids.some((id) => context.restartedByTruncate.has(id))
  return (found.rows.get(own.id) ?? 0) > (savesRestart ? aboveRowsIfMoved : aboveRows)
}

function tablesRestartedByTruncate({ schema, plan }: Program, found: Found): Set<TableId> {
  const restarted = plan.steps.flatMap((step) => {
    if (step.kind !== 'restart' || !found.moved.has(step.sequence)) return []
    const { ownedBy, increment } = sequenceOf(schema, step.sequence)
    return ownedBy !== undefined && nextOf(step.to, increment) === 1n ? [ownedBy.table] : []
  })
  return new Set(restarted)
}

/** The triggers of the tables whose rows are deleted or inserted one by one. */
function triggersFiredBy(
  ran: readonly DueStep[],
  { schema }: Program,
  triggers: readonly Trigger[],
): Trigger[] {
  const written = new Set(
    ran.flatMap(({ step, truncated }) => {
      if (truncated) return []
      return tablesOfStep(step)
        .map((id) => tableOf(schema, id))
        .flatMap((table) => (step.kind === 'truncate' && isTruncatable(table) ? [] : [table.name]))
    }),
  )
  return triggers.filter(({ table }) => written.has(table))
}

function actionsOf({ index, step, truncated, statements }: DueStep): Action[] {
  const counted =
    !truncated &&
    (step.kind === 'delete' || step.kind === 'delete-differing' || step.kind === 'insert-missing')
  return statements.map((sql) => ({
    sql,
    step: index,
    counts: counted && !sql.startsWith('DELETE HISTORY'),
  }))
}

export function auxiliaryAction(sql: string): Action {
  return { sql, step: undefined, counts: false }
}
