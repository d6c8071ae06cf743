import type { Step } from '../../plan/plan.ts'
import type { Sequence, SubjectId, Table, TableId } from '../../schema/schema.ts'
import type { Program } from '../resetter.ts'
import { nextOf } from './flavor.ts'

/** A table or sequence whose writes the server counts. */
export interface TrackedTable {
  readonly name: string
  /** `undefined` for a MariaDB sequence, which the server counts like a table. */
  readonly table: Table | undefined
  /** Subjects that count as dirty after a write. */
  readonly subjects: readonly SubjectId[]
  /** Planned next value of its AUTO_INCREMENT; `undefined` if it has none or the plan leaves it. */
  readonly next: bigint | undefined
  /** Number of inserted rows above which TRUNCATE is faster. */
  readonly many: number
}

/** Includes kept tables, because writes to them may cascade. */
export function trackedTables({ schema, plan }: Program): TrackedTable[] {
  const restarts = new Map(
    plan.steps.flatMap((step) => (step.kind === 'restart' ? [[step.sequence, step] as const] : [])),
  )
  const counters = new Map(schema.sequences.map((sequence) => [sequence.ownedBy?.table, sequence]))
  const emptied = emptyingSteps(plan.steps)
  const nextFor = (sequence: Sequence | undefined) => {
    const step = sequence === undefined ? undefined : restarts.get(sequence.id)
    return step === undefined || sequence === undefined ? undefined : nextOf(step.to, sequence.increment)
  }
  return [
    ...schema.tables.map((table) => {
      const counter = counters.get(table.id)
      const next = nextFor(counter)
      return {
        name: table.name,
        table,
        subjects: [table.id, ...(next === undefined || counter === undefined ? [] : [counter.id])],
        next,
        many: truncateThresholdOf(emptied.get(table.id), next),
      }
    }),
    ...schema.sequences.flatMap((sequence) =>
      sequence.kind === 'sequence'
        ? [{ name: sequence.name, table: undefined, subjects: [sequence.id], next: undefined, many: 0 }]
        : [],
    ),
  ]
}

export type EmptyingStep = Extract<Step, { kind: 'delete' | 'truncate' }>

/** The first step that empties each table. */
export function emptyingSteps(steps: readonly Step[]): Map<TableId, EmptyingStep> {
  const found = new Map<TableId, EmptyingStep>()
  for (const step of steps) {
    if (step.kind !== 'delete' && step.kind !== 'truncate') continue
    for (const id of step.tables) if (!found.has(id)) found.set(id, step)
  }
  return found
}

function truncateThresholdOf(step: EmptyingStep | undefined, next: bigint | undefined): number {
  if (step?.kind !== 'delete' || step.truncateAlternative === undefined) return Number.MAX_SAFE_INTEGER
  const { aboveRows, aboveRowsIfMoved } = step.truncateAlternative.threshold
  // Inserts advance the counter, except with explicit ids.
  return next === 1n ? aboveRowsIfMoved : aboveRows
}
