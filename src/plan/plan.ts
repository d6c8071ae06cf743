import { reachable } from '../schema/graph.ts'
import type { ForeignKey, Position, SequenceId, SubjectId, TableId } from '../schema/schema.ts'
import type { Threshold } from './cost.ts'

/** How rows are removed. */
export type Strategy = 'delete' | 'truncate' | 'auto'

/** What happens to sequences: back to the baseline, unchanged, or each in its own range. */
export type SequenceMode = 'restart' | 'keep' | 'spread'

/**
 * The ordered list of steps that restores dirty tables; pure data. It covers the whole schema: `select` picks
 * the steps that a reset runs.
 */
export interface Plan {
  readonly strategy: Strategy
  readonly sequenceMode: SequenceMode
  /**
   * `unchecked`: the session switches foreign keys and triggers off, so that each table is restored
   * independently. `ordered`: it may not, so rows are deleted children first and inserted parents first.
   */
  readonly mode: 'unchecked' | 'ordered'
  /** Tables in reset order, children before parents. The tables of a cycle form one group. */
  readonly order: readonly (readonly TableId[])[]
  /** Tables that no step touches, with the reason. */
  readonly kept: readonly { readonly table: TableId; readonly reason: string }[]
  /** The tables whose baseline has rows. */
  readonly populated: readonly TableId[]
  /** The sequences that are monitored and restored. */
  readonly sequences: readonly SequenceId[]
  readonly steps: readonly Step[]
  /** Which table references which, for `follows`; empty with checks off. */
  readonly references: readonly Reference[]
}

export interface Reference {
  readonly from: TableId
  readonly to: TableId
}

interface AnyStep {
  /** The step runs if one of these is dirty. */
  readonly when: readonly SubjectId[]
  /** It also runs if one of these references something dirty, directly or indirectly. */
  readonly follows?: readonly TableId[]
  /** Why the plan does it in this way, for display. */
  readonly reason: string
}

export type Step =
  | DeleteStep
  | TruncateStep
  | DeleteDifferingStep
  | InsertMissingStep
  | RefreshStep
  | RestartStep
  | CheckStep

/** Deletes all rows of these tables. More than one table means a cycle, cleared by one statement. */
export interface DeleteStep extends AnyStep {
  readonly kind: 'delete'
  readonly tables: readonly TableId[]
  readonly truncateAlternative: TruncateInstead | undefined
}

/** When TRUNCATE is cheaper. The engine compares when the reset runs. */
export interface TruncateInstead {
  /** The step's own table first, then all tables that reference it, if one TRUNCATE must name those too. */
  readonly tables: readonly TableId[]
  /** TRUNCATE if the step's own table has more rows than this, or is far larger than its rows need. */
  readonly threshold: Threshold
  /** Why TRUNCATE is better then: a phrase for display. */
  readonly reason: string
}

export interface TruncateStep extends AnyStep {
  readonly kind: 'truncate'
  readonly tables: readonly TableId[]
}

/** Deletes rows that are not in the baseline or differ from it. */
export interface DeleteDifferingStep extends AnyStep {
  readonly kind: 'delete-differing'
  readonly table: TableId
}

/** Inserts missing baseline rows. More than one table means a cycle. */
export interface InsertMissingStep extends AnyStep {
  readonly kind: 'insert-missing'
  readonly tables: readonly TableId[]
}

/** Refreshes a materialized view. The tables that it reads are at the baseline by then. */
export interface RefreshStep extends AnyStep {
  readonly kind: 'refresh'
  readonly table: TableId
}

export interface RestartStep extends AnyStep {
  readonly kind: 'restart'
  readonly sequence: SequenceId
  readonly to: Position
}

/** Fails the reset if a kept table references rows that were deleted. */
export interface CheckStep extends AnyStep {
  readonly kind: 'check'
  readonly foreignKey: ForeignKey
}

/** The tables whose rows a step deletes, inserts or computes. */
export function tablesOfStep(step: Step): readonly TableId[] {
  switch (step.kind) {
    case 'delete':
    case 'truncate':
    case 'insert-missing':
      return step.tables
    case 'delete-differing':
    case 'refresh':
      return [step.table]
    case 'restart':
    case 'check':
      return []
  }
}

/** The steps that run if exactly these are dirty, each with its index in the plan. */
export function select(plan: Plan, dirty: ReadonlySet<SubjectId>): { index: number; step: Step }[] {
  const reached = referringTo(plan.references, dirty)
  return plan.steps.flatMap((step, index) =>
    step.when.some((subject) => dirty.has(subject)) || step.follows?.some((id) => reached.has(id))
      ? [{ index, step }]
      : [],
  )
}

/** All tables that reference one of these, directly or indirectly. */
function referringTo(references: readonly Reference[], subjects: ReadonlySet<SubjectId>): Set<TableId> {
  const referring = new Map<TableId, TableId[]>()
  for (const { from, to } of references) {
    const others = referring.get(to)
    if (others === undefined) referring.set(to, [from])
    else others.push(from)
  }
  return new Set(reachable(subjects, (id) => referring.get(id) ?? []))
}
