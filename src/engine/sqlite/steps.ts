import { describeStep, stepTableLabel } from '../../plan/describe.ts'
import { type Plan, type Step, select, tablesOfStep } from '../../plan/plan.ts'
import { type SubjectId, type Table, tableOf } from '../../schema/schema.ts'
import type { Outcome } from '../resetter.ts'
import type { Baseline } from './baseline.ts'
import type { Detector } from './detect.ts'
import type { Database } from './driver.ts'
import { isDerived, statementsOf } from './statements.ts'
import { asStep } from './step-error.ts'
import { withoutTriggers } from './triggers.ts'

export interface Session {
  readonly db: Database
  readonly baseline: Baseline
  readonly detector: Detector
}

type Ran = Outcome['ran'][number]

/** Restores what is dirty, within a transaction. Throws `ResetError`. */
export function runSteps(session: Session, dirty: readonly SubjectId[]): Ran[] {
  const ran = [...runRows(session, dirty), ...runIndexes(session, dirty), ...runSequences(session)]
  return ran.sort((a, b) => a.step - b.step)
}

/**
 * Whether foreign keys have no effect in this reset: it only empties tables, children first, that no
 * remaining row can reference. Worth checking, because switching foreign keys makes SQLite recompile every
 * prepared statement of the handle, the user's and afresh's (`OP_Expire`), which costs more than such a
 * reset.
 */
export function foreignKeysAreIdle({ baseline }: Session, dirty: readonly SubjectId[]): boolean {
  const { schema, plan } = baseline
  const emptied = new Set(plan.steps.flatMap((step) => (step.kind === 'delete' ? step.tables : [])))
  const inCycle = new Set(plan.order.filter((group) => group.length > 1).flat())
  const isIdle = (step: Step) =>
    step.kind === 'restart' ||
    (step.kind === 'delete' &&
      step.tables.every((id) => {
        const references = schema.foreignKeys.filter(({ to }) => to === id)
        return !inCycle.has(id) && references.every(({ from }) => from !== id && emptied.has(from))
      }))
  return select(plan, new Set(dirty)).every(({ step }) => isIdle(step))
}

function runRows(session: Session, dirty: readonly string[]): Ran[] {
  const { db, baseline } = session
  const steps = select(baseline.plan, new Set(dirty)).filter(
    ({ step }) => step.kind !== 'restart' && !written(session, step).some(isDerived),
  )
  const tables = steps.flatMap(({ step }) => written(session, step))
  const ran: Ran[] = []
  asStep('take the triggers off and put them back', () =>
    withoutTriggers(db, tables, () => {
      for (const { index, step } of steps) ran.push(runStep(session, index, step))
    }),
  )
  return ran
}

/** Runs after the rows: a full-text index without rows of its own is correct once it matches those. */
function runIndexes(session: Session, dirty: readonly SubjectId[]): Ran[] {
  if (dirty.length === 0) return []
  const stale = new Set(session.detector.outOfSync())
  if (stale.size === 0) return []
  return stepsOf(session.baseline.plan).flatMap(({ index, step }) =>
    (step.kind === 'delete' || step.kind === 'insert-missing') && step.tables.some((id) => stale.has(id))
      ? [runStep(session, index, step)]
      : [],
  )
}

/** Runs last, whatever was dirty: restored rows raise the counter to the largest of their ids. */
export function runSequences(session: Session): Ran[] {
  const astray = new Set(session.detector.movedSequences())
  return stepsOf(session.baseline.plan).flatMap(({ index, step }) =>
    step.kind === 'restart' && astray.has(step.sequence) ? [runStep(session, index, step)] : [],
  )
}

function stepsOf(plan: Plan): { index: number; step: Step }[] {
  return plan.steps.map((step, index) => ({ index, step }))
}

function written({ baseline: { schema } }: Session, step: Step): Table[] {
  return tablesOfStep(step).map((id) => tableOf(schema, id))
}

function runStep({ db, baseline: { schema, generation } }: Session, index: number, step: Step): Ran {
  let rows = 0
  for (const sql of statementsOf(schema, step, generation)) {
    asStep(
      describeStep(schema, step),
      () => {
        if (step.kind === 'check') refuseOrphans(db, sql)
        else rows += db.run(sql)
      },
      { table: stepTableLabel(schema, step), statement: sql },
    )
  }
  return {
    step: index,
    rows: step.kind === 'check' || step.kind === 'restart' ? undefined : rows,
    truncated: false,
  }
}

function refuseOrphans(db: Database, sql: string): void {
  const orphans = db.all(sql)[0]?.orphans
  if (orphans !== 0n) throw new Error(`${String(orphans)} kept rows refer to rows that are gone now`)
}
