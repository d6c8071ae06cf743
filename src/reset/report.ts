import type { Detector, Outcome } from '../engine/resetter.ts'
import { describeStep, subjectLabel } from '../plan/describe.ts'
import type { Plan, Step } from '../plan/plan.ts'
import type { Schema } from '../schema/schema.ts'
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

function reasonOf(step: Step, truncated: boolean): string {
  const why = step.kind === 'delete' && truncated ? step.truncateAlternative?.reason : undefined
  return why ?? step.reason
}
