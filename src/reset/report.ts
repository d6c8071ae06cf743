import type { Detector, Outcome } from '../engine/resetter.ts'
import { describeStep, subjectLabel, tableLabel } from '../plan/describe.ts'
import { type Plan, type Step, tablesOfStep } from '../plan/plan.ts'
import type { Schema, SequenceId, TableId } from '../schema/schema.ts'
import { type TableWrites, tableWrites } from './writes.ts'

/** What a reset found and did. */
export interface ResetReport {
  /** Labels of the tables and sequences that differed from the baseline. */
  readonly dirty: readonly string[]
  /** Number of rows written per table. */
  readonly writes: readonly TableWrites[]
  readonly steps: readonly StepReport[]
  /** Duration of the reset in milliseconds, measured by the client. */
  readonly durationMs: number
  /** How the dirty tables were found. */
  readonly detector: Detector
  /** Why that detector was used, as a phrase. */
  readonly why: string
  /** Notable events, as sentences: for example that a test changed the schema. */
  readonly notes: readonly string[]
  /** Whether the database was recreated, because no reset could restore it. Its connections were ended. */
  readonly recreated: boolean
}

/** A step that a reset ran. */
export interface StepReport {
  readonly kind: Step['kind']
  /** In words: `delete from orders`. */
  readonly step: string
  readonly reason: string
  /** Rows deleted or inserted; `undefined` if the engine does not report it. */
  readonly rows: number | undefined
  /** Whether the table was emptied by TRUNCATE, for the given reason. */
  readonly truncated: boolean
}

/** A reset, with what only strategy `rollback` needs. */
export interface SessionReset {
  readonly report: ResetReport
  /** Labels of the tables whose rows it changed: `dirty` of the report includes false alarms and sequences. */
  readonly changedTables: readonly string[]
}

export function reportOf(schema: Schema, plan: Plan, outcome: Outcome, durationMs: number): ResetReport {
  return {
    // A table and its AUTO_INCREMENT counter share a label.
    dirty: [...new Set(outcome.dirty.map((id) => subjectLabel(schema, id)))],
    writes: tableWrites(schema, plan, outcome),
    steps: outcome.ran.flatMap(({ step: index, rows, truncated }) => {
      const step = plan.steps[index]
      return step === undefined
        ? []
        : [
            {
              kind: step.kind,
              step: describeStep(schema, step),
              reason: reasonOf(step, truncated),
              rows,
              truncated,
            },
          ]
    }),
    durationMs,
    detector: outcome.detector,
    why: outcome.why,
    notes: outcome.notes ?? [],
    recreated: false,
  }
}

/** Labels of the tables whose rows the reset changed. A step that changed no row was a false alarm. */
export function changedTables(schema: Schema, plan: Plan, { dirty, ran }: Outcome): string[] {
  const wasDirty = new Set<TableId | SequenceId>(dirty)
  const changed = ran.flatMap(({ step: index, rows }) => {
    const step = plan.steps[index]
    return step === undefined || rows === 0 ? [] : tablesOfStep(step)
  })
  return [...new Set(changed)].filter((id) => wasDirty.has(id)).map((id) => tableLabel(schema, id))
}

function reasonOf(step: Step, truncated: boolean): string {
  const why = step.kind === 'delete' && truncated ? step.truncateAlternative?.reason : undefined
  return why ?? step.reason
}
