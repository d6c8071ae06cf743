import { reachable } from '../schema/graph.ts'
import type { ForeignKey, Position, SequenceId, SubjectId, TableId } from '../schema/schema.ts'
import type { Threshold } from './cost.ts'

/** How rows go away. */
export type Strategy = 'delete' | 'truncate' | 'auto'

/** What becomes of sequences: back to the baseline, left alone, or each in a range of its own. */
export type SequenceMode = 'restart' | 'keep' | 'spread'

/**
 * The ordered list of steps that brings dirty tables back; pure data. It covers the whole schema: which of
 * its steps a reset runs is decided by what is dirty (`select`).
 */
export interface Plan {
  readonly strategy: Strategy
  readonly sequenceMode: SequenceMode
  /**
   * `unchecked`: the session switches foreign keys and triggers off, so that every table is put right on
   * its own. `ordered`: it may not, so rows go children first and come back parents first.
   */
  readonly mode: 'unchecked' | 'ordered'
  /** Tables in reset order, children before parents; the tables of a cycle are together. */
  readonly order: readonly (readonly TableId[])[]
  /** Tables that no step touches, with the reason. */
  readonly kept: readonly { readonly table: TableId; readonly reason: string }[]
  /** The tables whose baseline has rows. */
  readonly populated: readonly TableId[]
  /** The sequences that are watched and put back. */
  readonly sequences: readonly SequenceId[]
  readonly steps: readonly Step[]
  /** Which table refers to which, where steps follow what others refer to; none with checks off. */
  readonly references: readonly Reference[]
}

export interface Reference {
  readonly from: TableId
  readonly to: TableId
}

interface AnyStep {
  /** The step runs when one of these is dirty. */
  readonly when: readonly SubjectId[]
  /** And when something is dirty that one of these refers to, over any number of keys. */
  readonly follows?: readonly TableId[]
  /** Why this and not another way, for people. */
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

/** Every row of these tables goes; more than one table means a cycle, cleared by one statement. */
export interface DeleteStep extends AnyStep {
  readonly kind: 'delete'
  readonly tables: readonly TableId[]
  readonly truncateAlternative: TruncateInstead | undefined
}

/** Where TRUNCATE is the cheaper way; the engine compares when the reset runs. */
export interface TruncateInstead {
  /** The step's own table first; then everything that refers to it, where one TRUNCATE has to name that too. */
  readonly tables: readonly TableId[]
  /** TRUNCATE when the step's own table has more rows than this; and when it has outgrown its rows by far. */
  readonly threshold: Threshold
  /** Why it is the better one then: a phrase for people. */
  readonly reason: string
}

export interface TruncateStep extends AnyStep {
  readonly kind: 'truncate'
  readonly tables: readonly TableId[]
}

/** Rows that the baseline lacks, or has differently, go. */
export interface DeleteDifferingStep extends AnyStep {
  readonly kind: 'delete-differing'
  readonly table: TableId
}

/** Baseline rows that are missing come back; more than one table means a cycle. */
export interface InsertMissingStep extends AnyStep {
  readonly kind: 'insert-missing'
  readonly tables: readonly TableId[]
}

/** A materialised view is computed again, from tables that are at the baseline by then. */
export interface RefreshStep extends AnyStep {
  readonly kind: 'refresh'
  readonly table: TableId
}

export interface RestartStep extends AnyStep {
  readonly kind: 'restart'
  readonly sequence: SequenceId
  readonly to: Position
}

/** Fails the reset when a kept table refers to rows that are gone now. */
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

/** The steps that run when just these are dirty, each with its place in the plan. */
export function select(plan: Plan, dirty: ReadonlySet<SubjectId>): { index: number; step: Step }[] {
  const reached = referringTo(plan.references, dirty)
  return plan.steps.flatMap((step, index) =>
    step.when.some((subject) => dirty.has(subject)) || step.follows?.some((id) => reached.has(id))
      ? [{ index, step }]
      : [],
  )
}

/** Everything that refers to one of these, over any number of keys. */
function referringTo(references: readonly Reference[], subjects: ReadonlySet<SubjectId>): Set<TableId> {
  const referring = new Map<TableId, TableId[]>()
  for (const { from, to } of references) {
    const others = referring.get(to)
    if (others === undefined) referring.set(to, [from])
    else others.push(from)
  }
  return new Set(reachable(subjects, (id) => referring.get(id) ?? []))
}
