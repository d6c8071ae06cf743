import type { Detector, Outcome } from '../engine/resetter.ts'
import { describeStep, subjectLabel } from '../plan/describe.ts'
import type { Plan, Step } from '../plan/plan.ts'
import type { Schema } from '../schema/schema.ts'
import { type TableWrites, tableWrites } from './writes.ts'

/** What a reset found and did. */
export interface ResetReport {
  /** Labels of the tables and sequences that differed from the baseline. */
  readonly dirty: readonly string[]
  /** How many rows of which tables had been written. */
  readonly writes: readonly TableWrites[]
  readonly steps: readonly StepReport[]
  /** Milliseconds, as seen from here. */
  readonly durationMs: number
  /** How the dirty tables were found. */
  readonly detector: Detector
  /** Why that one: a phrase for people. */
  readonly why: string
  /** What was out of the ordinary, in sentences: a test that changed the schema, say. */
  readonly notes: readonly string[]
  /** No reset could bring the database back, and it was made again from its template: its connections were cut. */
  readonly recreated: boolean
}

/** A step that a reset has run. */
export interface StepReport {
  readonly kind: Step['kind']
  /** In words: `delete from orders`. */
  readonly step: string
  readonly reason: string
  /** Rows that went or came back, where the engine tells. */
  readonly rows: number | undefined
  /** The table was emptied by TRUNCATE, for the reason given. */
  readonly truncated: boolean
}

export function reportOf(schema: Schema, plan: Plan, outcome: Outcome, durationMs: number): ResetReport {
  return {
    // A table and its AUTO_INCREMENT counter go by one name.
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
