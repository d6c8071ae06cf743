import { type Step, tablesOfStep } from '../../plan/plan.ts'
import type { Sequence, SubjectId, Table, TableId } from '../../schema/schema.ts'
import type { Program } from '../resetter.ts'
import { nextOf } from './flavor.ts'
import { literal } from './quote.ts'
import { PHASE, WRITE_KIND } from './routine.ts'
import { isTruncatable, statementsOf, truncate } from './statements.ts'
import type { Trigger } from './triggers.ts'

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

/** Includes kept tables, because writes to them may cascade. */
export function trackedTables({ schema, plan }: Program): TrackedTable[] {
  const restarts = new Map(
    plan.steps.flatMap((step) => (step.kind === 'restart' ? [[step.sequence, step] as const] : [])),
  )
  const counters = new Map(schema.sequences.map((sequence) => [sequence.ownedBy?.table, sequence]))
  const emptied = emptyingOf(plan.steps)
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

type EmptyingStep = Extract<Step, { kind: 'delete' | 'truncate' }>

/** The first step that empties each table. */
function emptyingOf(steps: readonly Step[]): Map<TableId, EmptyingStep> {
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

const EVERY_WRITE_KIND = WRITE_KIND.noInserts | WRITE_KIND.inserts | WRITE_KIND.manyInserts

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
  const emptied = emptyingOf(plan.steps)
  const firing = new Set(triggers.map(({ table, event }) => `${event} ${table}`))
  const indexes = new Map(
    tracked.flatMap(({ subjects }, index) => subjects.map((id) => [id, index] as const)),
  )
  return plan.steps.flatMap((step, index) =>
    concernedBy(step).flatMap((id) => {
      const tableIndex = indexes.get(id)
      const subject = tableIndex === undefined ? undefined : tracked[tableIndex]
      if (tableIndex === undefined || subject === undefined) return []
      const make = (phase: number, run: string, rest: Partial<RoutineStep> = {}): RoutineStep => ({
        ...{
          tableIndex,
          phase,
          step: index,
          sub: 0,
          writeKinds: EVERY_WRITE_KIND,
          counts: undefined,
          unless: undefined,
          run,
        },
        ...rest,
      })
      return stepsFor(step, subject, make)
    }),
  )

  function stepsFor(
    step: Step,
    { table, next, name }: TrackedTable,
    make: (phase: number, run: string, rest?: Partial<RoutineStep>) => RoutineStep,
  ): RoutineStep[] {
    const [sql = ''] = 'tables' in step ? [] : statementsOf(schema, step, baseline.database, database)
    if (step.kind === 'restart') {
      if (table === undefined) return [make(PHASE.restart, sql, { counts: 'one' })]
      const writeKinds = next === 1n ? EVERY_WRITE_KIND & ~truncateKinds(table) : EVERY_WRITE_KIND
      return writeKinds === 0
        ? []
        : [make(PHASE.restart, sql, { writeKinds, unless: isCounterAtSql(database, name, next) })]
    }
    if (table === undefined) return []
    if (step.kind === 'check') return [make(PHASE.rows, `SET @afresh_check = (${sql})`, { sub: 1 })]
    if (needsClient(step, table)) return [make(PHASE.needsClient, '')]
    const truncateKindsOfStep = step.kind === 'delete' || step.kind === 'truncate' ? truncateKinds(table) : 0
    const [only] = statementsOf(
      schema,
      { ...step, ...oneTable(step, table) } as Step,
      baseline.database,
      database,
    )
    const counts = step.kind === 'insert-missing' ? 'inserts' : 'others'
    return [
      ...(truncateKindsOfStep === 0
        ? []
        : [make(PHASE.truncate, truncate(table, database), { writeKinds: truncateKindsOfStep })]),
      ...(truncateKindsOfStep === EVERY_WRITE_KIND
        ? []
        : [make(PHASE.rows, only ?? sql, { writeKinds: EVERY_WRITE_KIND & ~truncateKindsOfStep, counts })]),
    ]
  }

  /** The kinds of writes after which the table is emptied by TRUNCATE. */
  function truncateKinds(table: Table): number {
    const step = emptied.get(table.id)
    if (step === undefined || !isTruncatable(table)) return 0
    if (step.kind === 'truncate' || fires(table, 'DELETE')) return EVERY_WRITE_KIND
    return step.kind === 'delete' && step.truncateAlternative !== undefined ? WRITE_KIND.manyInserts : 0
  }

  /** A routine cannot drop triggers, and the server does not count how MariaDB writes history. */
  function needsClient(step: Step, table: Table): boolean {
    if (!isTruncatable(table)) return true
    if (step.kind === 'delete-differing' || step.kind === 'insert-missing')
      return fires(table, 'DELETE') || fires(table, 'INSERT')
    return fires(table, 'DELETE') && plan.sequenceMode === 'keep'
  }

  function fires({ name }: Table, event: string): boolean {
    return firing.has(`${event} ${name}`)
  }
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

function oneTable(step: Step, { id }: Table): object {
  return 'tables' in step ? { tables: [id] } : {}
}
