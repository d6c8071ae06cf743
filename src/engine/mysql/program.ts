import { type Step, tablesOfStep } from '../../plan/plan.ts'
import { type Table, type TableId, tableOf } from '../../schema/schema.ts'
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

interface Chosen {
  readonly index: number
  readonly step: Step
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
): { readonly actions: Action[]; readonly ran: readonly Chosen[] } {
  const ran = chosen(program, baseline, triggers, { found, mayTruncate })
  const { before, after } = suspended(database, firing(program, ran, triggers))
  const isDdl = ({ step, truncated }: Chosen) => truncated || step.kind === 'truncate'
  const writes = ran.filter((step) => !isDdl(step) && step.step.kind !== 'restart')
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
  ran: readonly Chosen[],
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

function chosen(
  { schema, plan }: Program,
  baseline: Baseline,
  triggers: readonly Trigger[],
  { found, mayTruncate }: { readonly found: Found; readonly mayTruncate: boolean },
): Chosen[] {
  const dirty = new Set(found.dirty)
  const cut = new Set<TableId>()
  return plan.steps.flatMap((planned, index): Chosen[] => {
    if (!isDue(planned)) return []
    const step: Step =
      planned.kind === 'truncate' && !mayTruncate
        ? { ...planned, kind: 'delete', truncateAlternative: undefined }
        : planned
    const byTruncate = step.kind === 'delete' && isCheaperCut(step)
    const tables = byTruncate ? (step.truncateAlternative?.tables ?? step.tables) : []
    const statements = byTruncate
      ? tables.map((id) => truncate(tableOf(schema, id)))
      : statementsOf(schema, step, baseline.database)
    for (const id of step.kind === 'truncate' ? step.tables : tables) {
      if (isTruncatable(tableOf(schema, id))) cut.add(id)
    }
    return [{ index, step, truncated: byTruncate, statements }]
  })

  /** A counter is also restarted after a TRUNCATE moved it, which the plan does not always foresee. */
  function isDue(step: Step): boolean {
    if (step.kind !== 'restart') return step.when.some((subject) => dirty.has(subject))
    const { ownedBy, increment } = sequenceOf(schema, step.sequence)
    const wasCut = ownedBy !== undefined && cut.has(ownedBy.table)
    return wasCut ? nextOf(step.to, increment) !== 1n : found.moved.has(step.sequence)
  }

  /** TRUNCATE fires no triggers; dropping and creating them would cost more. */
  function isCheaperCut({ tables, truncateAlternative }: Extract<Step, { kind: 'delete' }>): boolean {
    const all = tables.map((id) => tableOf(schema, id))
    if (!mayTruncate || plan.sequenceMode === 'keep' || !all.every(isTruncatable)) return false
    const fires = all.some(({ name }) =>
      triggers.some(({ table, event }) => table === name && event === 'DELETE'),
    )
    if (fires) return true
    const [own] = all
    if (truncateAlternative === undefined || own === undefined) return false
    const { aboveRows, aboveRowsIfMoved } = truncateAlternative.threshold
    return (found.rows.get(own.id) ?? 0) > (all.some(isPutBackByCut) ? aboveRowsIfMoved : aboveRows)
  }

  /** Whether the counter of the table has moved, and TRUNCATE restores its planned position. */
  function isPutBackByCut({ id }: Table): boolean {
    return plan.steps.some((step) => {
      if (step.kind !== 'restart' || !found.moved.has(step.sequence)) return false
      const { ownedBy, increment } = sequenceOf(schema, step.sequence)
      return ownedBy?.table === id && nextOf(step.to, increment) === 1n
    })
  }
}

/** The triggers of the tables whose rows are deleted or inserted one by one. */
function firing({ schema }: Program, ran: readonly Chosen[], triggers: readonly Trigger[]): Trigger[] {
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

function actionsOf({ index, step, truncated, statements }: Chosen): Action[] {
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
