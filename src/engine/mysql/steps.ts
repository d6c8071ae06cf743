import { type Plan, type Step, tablesOfStep } from '../../plan/plan.ts'
import type { Schema, SubjectId, Table, TableId } from '../../schema/schema.ts'
import type { Program } from '../resetter.ts'
import { literal } from './quote.ts'
import { PHASE, WRITE_KIND } from './routine.ts'
import { isTruncatable, statementsOf, truncate } from './statements.ts'
import { type EmptyingStep, emptyingSteps, type TrackedTable } from './tracked-tables.ts'
import type { Trigger } from './triggers.ts'

/** A statement that the routine may run. */
export interface RoutineStep {
  /** Index of the tracked table. */
  readonly tableIndex: number
  readonly phase: number
  /** Index of the step in the plan. */
  readonly step: number
  readonly sub: number
  /** Bit set of the `WRITE_KIND`s after which the statement runs. */
  readonly writeKinds: number
  /** How the server counts the statement: its rows, or once. */
  readonly counts: 'inserts' | 'others' | 'one' | undefined
  /** A statement that sets `@afresh_is` to 1 if `run` has nothing to do. */
  readonly unless: string | undefined
  readonly run: string
}

const EVERY_WRITE_KIND = WRITE_KIND.noInserts | WRITE_KIND.inserts | WRITE_KIND.manyInserts

/** What a statement has unless it says otherwise. */
const DEFAULTS = { sub: 0, writeKinds: EVERY_WRITE_KIND, counts: undefined, unless: undefined } as const

/** A statement of one step for one table. */
type OwnStatement = Pick<RoutineStep, 'phase' | 'run'> & Partial<RoutineStep>

/** What decides how steps are run. */
interface StepContext {
  readonly schema: Schema
  readonly plan: Plan
  readonly baseline: { readonly database: string }
  readonly database: string
  /** The first step that empties each table. */
  readonly emptied: ReadonlyMap<TableId, EmptyingStep>
  /** The suspended triggers: `DELETE orders`. */
  readonly firing: ReadonlySet<string>
}

/** Every statement that a reset may need, for each tracked table. */
export function routineSteps(
  tracked: readonly TrackedTable[],
  {
    program: { schema, plan },
    baseline,
    triggers,
    database,
  }: {
    readonly program: Program
    readonly baseline: { readonly database: string }
    readonly triggers: readonly Trigger[]
    readonly database: string
  },
): RoutineStep[] {
  const context = {
    ...{ schema, plan, baseline, database },
    emptied: emptyingSteps(plan.steps),
    firing: new Set(triggers.map(({ table, event }) => `${event} ${table}`)),
  }
  const indexes = new Map(
    tracked.flatMap(({ subjects }, index) => subjects.map((id) => [id, index] as const)),
  )
  return plan.steps.flatMap((step, index) =>
    concernedBy(step).flatMap((id) => {
      const tableIndex = indexes.get(id)
      const subject = tableIndex === undefined ? undefined : tracked[tableIndex]
      if (tableIndex === undefined || subject === undefined) return []
      const statements = ownStatements(context, step, subject)
      return statements.map((statement) => ({ ...DEFAULTS, tableIndex, step: index, ...statement }))
    }),
  )
}

function ownStatements(context: StepContext, step: Step, tracked: TrackedTable): OwnStatement[] {
  const { table } = tracked
  if (step.kind === 'restart') return restartStatements(context, step, tracked)
  if (table === undefined) return []
  if (step.kind === 'check') {
    const run = `SET @afresh_check = (${firstStatement(context, step)})`
    return [{ phase: PHASE.rows, run, sub: 1 }]
  }
  if (needsClient(context, step, table)) return [{ phase: PHASE.needsClient, run: '' }]
  return rowStatements(context, step, table)
}

function restartStatements(
  context: StepContext,
  step: Extract<Step, { kind: 'restart' }>,
  { table, next, name }: TrackedTable,
): OwnStatement[] {
  const run = firstStatement(context, step)
  if (table === undefined) return [{ phase: PHASE.restart, run, counts: 'one' }]
  // TRUNCATE restarts the counter at 1.
  const writeKinds = next === 1n ? EVERY_WRITE_KIND & ~truncateKinds(context, table) : EVERY_WRITE_KIND
  if (writeKinds === 0) return []
  return [{ phase: PHASE.restart, run, writeKinds, unless: isCounterAtSql(context.database, name, next) }]
}

/** TRUNCATE after some kinds of writes, and the statement of the step after the others. */
function rowStatements(context: StepContext, step: Step, table: Table): OwnStatement[] {
  const truncating = step.kind === 'delete' || step.kind === 'truncate' ? truncateKinds(context, table) : 0
  const writing = EVERY_WRITE_KIND & ~truncating
  const ofTable = 'tables' in step ? ({ ...step, tables: [table.id] } as Step) : step
  const run = firstStatement(context, ofTable)
  const counts = step.kind === 'insert-missing' ? 'inserts' : 'others'
  return [
    ...(truncating === 0
      ? []
      : [{ phase: PHASE.truncate, run: truncate(table, context.database), writeKinds: truncating }]),
    ...(writing === 0 ? [] : [{ phase: PHASE.rows, run, writeKinds: writing, counts } as const]),
  ]
}

function firstStatement({ schema, baseline, database }: StepContext, step: Step): string {
  const [sql = ''] = statementsOf(schema, step, baseline.database, database)
  return sql
}

/** The kinds of writes after which the table is emptied by TRUNCATE. */
function truncateKinds(context: StepContext, table: Table): number {
  const step = context.emptied.get(table.id)
  if (step === undefined || !isTruncatable(table)) return 0
  if (step.kind === 'truncate' || fires(context, table, 'DELETE')) return EVERY_WRITE_KIND
  return step.kind === 'delete' && step.truncateAlternative !== undefined ? WRITE_KIND.manyInserts : 0
}

/** A routine cannot drop triggers, and the server does not count how MariaDB writes history. */
function needsClient(context: StepContext, step: Step, table: Table): boolean {
  if (!isTruncatable(table)) return true
  if (step.kind === 'delete-differing' || step.kind === 'insert-missing')
    return fires(context, table, 'DELETE') || fires(context, table, 'INSERT')
  return fires(context, table, 'DELETE') && context.plan.sequenceMode === 'keep'
}

function fires({ firing }: StepContext, { name }: Table, event: string): boolean {
  return firing.has(`${event} ${name}`)
}

/** The names are literals: with variables, the servers would read all tables. */
export function isCounterAtSql(database: string, table: string, next: bigint | undefined): string {
  return `SELECT COALESCE(auto_increment, 1) = ${next} INTO @afresh_is FROM information_schema.tables
    WHERE table_schema = ${literal(database)} AND table_name = ${literal(table)}`
}

/** The subjects that a step reads or writes directly. */
function concernedBy(step: Step): readonly SubjectId[] {
  switch (step.kind) {
    case 'check':
      return [step.foreignKey.to]
    case 'restart':
      return [step.sequence]
    default:
      return tablesOfStep(step)
  }
}
