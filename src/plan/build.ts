/**
 * In: a schema and the options of a reset.
 * Out: the steps of a reset, in their order.
 * Called by `reset/make-plan.ts`; pure.
 */
import type { Schema, SubjectId, Table, TableId } from '../schema/schema.ts'
import {
  type Context,
  closureOf,
  contextOf,
  keysOfKept,
  labelOf,
  movesKeptCounter,
  type PlanInput,
} from './context.ts'
import { rejectReachedKeptTables } from './kept-tables.ts'
import type { Plan, Reference, Step } from './plan.ts'
import { truncateInstead, unenforcedIn } from './truncate.ts'
import { refuseUnresettable } from './unresettable.ts'

export type { PlanInput } from './context.ts'

/**
 * The plan for a schema.
 *
 * @throws AfreshError `plan`, naming all kept tables that a delete would reach; `usage` for patterns in
 * `keep` that match no table
 */
export function buildPlan(schema: Schema, input: PlanInput): Plan {
  const context = contextOf(schema, input)
  refuseUnresettable(context)
  rejectReachedKeptTables(context)
  const steps = context.mode === 'unchecked' ? uncheckedSteps(context) : orderedSteps(context)
  return {
    strategy: input.strategy,
    sequenceMode: input.sequences,
    mode: context.mode,
    order: context.order,
    kept: [...context.kept].map(([table, reason]) => ({ table, reason })),
    populated: [...context.populated],
    sequences: context.sequences.map(({ id }) => id),
    steps: [...steps, ...refreshSteps(context), ...restartSteps(context, steps)],
    references: context.mode === 'ordered' ? referencesOf(schema) : [],
  }
}

/** Checks are off, so each table is restored independently. The order is only for display. */
function uncheckedSteps(context: Context): Step[] {
  const { populated } = context
  const ids = storedGroups(context).flat()
  const removals = ids.flatMap((id): Step[] => {
    if (isTruncating(context, [id])) return [truncateStep(context, id)]
    return [populated.has(id) ? deleteDifferingStep(id) : deleteStep(context, [id], [id])]
  })
  const filled = ids.toReversed().filter((id) => populated.has(id))
  const emptiedBy = new Map<TableId, SubjectId[]>()
  for (const step of removals) {
    if (step.kind !== 'truncate') continue
    for (const id of step.tables) emptiedBy.set(id, [...(emptiedBy.get(id) ?? []), ...step.when])
  }
  const fills = filled.map((id): Step => insertMissingStep([id], [id, ...(emptiedBy.get(id) ?? [])]))
  return [...removals, ...fills, ...checkSteps(context)]
}

/**
 * Checks stay on: rows are deleted children first and inserted parents first. A table that references a dirty
 * one is emptied and filled again, because its rows would block the delete or be cascaded away.
 */
function orderedSteps(context: Context): Step[] {
  const { populated } = context
  const order = storedGroups(context)
  const following = (step: Step, group: readonly TableId[]): Step => {
    const follows = group.filter((id) => populated.has(id))
    return follows.length === 0 ? step : { ...step, follows }
  }
  const removals = order.flatMap((group) =>
    isTruncating(context, group)
      ? group.map((id) => truncateStep(context, id))
      : [following(deleteStep(context, group, group), group)],
  )
  const fills = order.toReversed().flatMap((group) => {
    const rows = group.filter((id) => populated.has(id))
    return rows.length === 0 ? [] : [following(insertMissingStep(rows, group), group)]
  })
  return [...removals, ...fills]
}

function referencesOf({ foreignKeys }: Schema): Reference[] {
  const found = new Map<string, Reference>()
  for (const { from, to } of foreignKeys) found.set(JSON.stringify([from, to]), { from, to })
  return [...found.values()]
}

/** The order without materialized views, which store no rows of their own. */
function storedGroups({ order, tables }: Context): (readonly TableId[])[] {
  return order.filter((group) => !group.some((id) => isMaterialized(tables.get(id))))
}

/** In catalog order: a view follows the views that it reads. */
function refreshSteps({ schema, kept }: Context): Step[] {
  return schema.tables
    .filter((table) => isMaterialized(table) && !kept.has(table.id))
    .map(({ id }) => ({
      kind: 'refresh',
      table: id,
      when: [id],
      reason: 'a materialized view: it was refreshed',
    }))
}

function isMaterialized(table: Table | undefined): boolean {
  return table?.traits.includes('materialized') === true
}

/** Whether all of these tables can and should be truncated. */
function isTruncating(context: Context, tables: readonly TableId[]): boolean {
  const { strategy, capabilities } = context.input
  if (tables.some((id) => isAscending(context, id))) return true
  if (strategy !== 'truncate' || !capabilities.truncate) return false
  return tables.every(
    (id) => unenforcedIn(context, closureOf(context, id)) === undefined && !movesKeptCounter(context, id),
  )
}

function isAscending({ tables }: Context, id: TableId): boolean {
  return tables.get(id)?.traits.includes('ascending') === true
}

function deleteStep(context: Context, tables: readonly TableId[], when: readonly TableId[]): Step {
  const { input, populated, mode } = context
  const reason =
    tables.length > 1
      ? `a cycle of foreign keys${mode === 'ordered' ? ': one statement clears it' : ''}`
      : tables.some((id) => populated.has(id))
        ? 'what it refers to may have to go'
        : 'its baseline is empty'
  const [only] = tables
  const choice =
    only === undefined || tables.length > 1 || input.strategy !== 'auto'
      ? undefined
      : truncateInstead(context, only)
  return {
    kind: 'delete',
    tables,
    when: unique(when),
    reason: choice === undefined ? reason : `${reason}; ${choice.phrase}`,
    truncateAlternative: choice?.instead,
  }
}

function truncateStep(context: Context, id: TableId): Step {
  const tables = closureOf(context, id)
  const others = tables.length - 1
  // If rows were inserted and deleted again, only the counter shows it.
  const counter = isAscending(context, id) ? context.counters.get(id) : undefined
  return {
    kind: 'truncate',
    tables,
    when: counter === undefined ? [id] : [id, counter.id],
    reason: isAscending(context, id)
      ? 'its FTS_DOC_ID begins again by TRUNCATE alone'
      : others === 0
        ? 'strategy "truncate"'
        : `strategy "truncate", with ${others} that refer to it`,
  }
}

function deleteDifferingStep(table: TableId): Step {
  return {
    kind: 'delete-differing',
    table,
    when: [table],
    reason: 'its baseline has rows: only what differs goes',
  }
}

function insertMissingStep(tables: readonly TableId[], when: readonly TableId[]): Step {
  return { kind: 'insert-missing', tables, when: unique(when), reason: 'its baseline has rows' }
}

function checkSteps(context: Context): Step[] {
  return keysOfKept(context).map((foreignKey) => ({
    kind: 'check',
    foreignKey,
    when: [foreignKey.to],
    reason: `"${labelOf(context, foreignKey.from)}" is kept and refers to it`,
  }))
}

function restartSteps({ sequences, input }: Context, steps: readonly Step[]): Step[] {
  const truncated = new Set(
    input.capabilities.truncateRestarts
      ? steps.flatMap((step) =>
          step.kind === 'truncate'
            ? step.tables
            : step.kind === 'delete'
              ? (step.truncateAlternative?.tables ?? [])
              : [],
        )
      : [],
  )
  return sequences.map((sequence): Step => {
    const owner = sequence.ownedBy?.table
    return {
      kind: 'restart',
      sequence: sequence.id,
      to: sequence.position,
      when: owner !== undefined && truncated.has(owner) ? [sequence.id, owner] : [sequence.id],
      reason: input.sequences === 'spread' ? 'a range of its own' : 'to the position of the baseline',
    }
  })
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)]
}
