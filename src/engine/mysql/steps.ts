import type { Step } from '../../plan/plan.ts'
import type { Sequence, SubjectId, Table } from '../../schema/schema.ts'
import type { Program } from '../engine.ts'
import { nextOf } from './flavor.ts'
import { literal } from './quote.ts'
import { PHASE, WAY } from './routine.ts'
import { isTruncatable, statementsOf, truncate } from './statements.ts'
import type { Trigger } from './triggers.ts'

/** Something whose writes the server counts. */
export interface Watched {
  readonly name: string
  /** `undefined`: a sequence of MariaDB, which is counted as tables are. */
  readonly table: Table | undefined
  /** What is taken to be dirty when it was written to. */
  readonly subjects: readonly SubjectId[]
  /** Where its AUTO_INCREMENT is to stand; `undefined` where it has none, or nobody minds. */
  readonly next: bigint | undefined
  /** With more rows than this inserted, TRUNCATE is the cheaper way. */
  readonly many: number
}

/** A statement that the routine may run. */
export interface RoutineStep {
  /** Place of what it is about. */
  readonly place: number
  readonly phase: number
  /** Place in the plan. */
  readonly step: number
  readonly sub: number
  /** After which ways of being written it runs. */
  readonly ways: number
  /** How the server counts it: its rows, or once. */
  readonly counts: 'inserts' | 'others' | 'one' | undefined
  /** Sets `@afresh_is` to 1 where there is nothing to do. */
  readonly unless: string | undefined
  readonly run: string
}

/** Kept tables are among them, because writes to them may cascade. */
export function watchedOf({ schema, plan }: Program): Watched[] {
  const restarts = plan.steps.flatMap((step) => (step.kind === 'restart' ? [step] : []))
  const nextFor = (sequence: Sequence | undefined) => {
    const step = restarts.find((one) => one.sequence === sequence?.id)
    return step === undefined || sequence === undefined ? undefined : nextOf(step.to, sequence.increment)
  }
  return [
    ...schema.tables.map((table) => {
      const counter = schema.sequences.find(({ ownedBy }) => ownedBy?.table === table.id)
      const next = nextFor(counter)
      return {
        name: table.name,
        table,
        subjects: [table.id, ...(next === undefined || counter === undefined ? [] : [counter.id])],
        next,
        many: manyOf(plan.steps, table, next),
      }
    }),
    ...schema.sequences.flatMap((sequence) =>
      sequence.kind === 'sequence'
        ? [{ name: sequence.name, table: undefined, subjects: [sequence.id], next: undefined, many: 0 }]
        : [],
    ),
  ]
}

function manyOf(steps: readonly Step[], table: Table, next: bigint | undefined): number {
  const step = steps.find((one) => one.kind === 'delete' && one.tables.includes(table.id))
  if (step?.kind !== 'delete' || step.orTruncate === undefined) return Number.MAX_SAFE_INTEGER
  const { aboveRows, aboveRowsIfMoved } = step.orTruncate.threshold
  // Whoever inserts moves the counter, but for ids of his own choice.
  return next === 1n ? aboveRowsIfMoved : aboveRows
}

const EVERY_WAY = WAY.noInserts | WAY.inserts | WAY.manyInserts

/** Every statement that a reset may need, by what it is about. */
export function routineSteps(
  watched: readonly Watched[],
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
  return plan.steps.flatMap((step, index) =>
    watched.flatMap((one, place) => {
      const make = (phase: number, run: string, rest: Partial<RoutineStep> = {}): RoutineStep => ({
        ...{ place, phase, step: index, sub: 0, ways: EVERY_WAY, counts: undefined, unless: undefined, run },
        ...rest,
      })
      return stepsFor(step, one, make)
    }),
  )

  function stepsFor(
    step: Step,
    { table, subjects, next, name }: Watched,
    make: (phase: number, run: string, rest?: Partial<RoutineStep>) => RoutineStep,
  ): RoutineStep[] {
    const [sql = ''] = statementsOf(schema, step, baseline.database, database)
    if (step.kind === 'restart') {
      if (!subjects.includes(step.sequence)) return []
      if (table === undefined) return [make(PHASE.restart, sql, { counts: 'one' })]
      const ways = next === 1n ? EVERY_WAY & ~cutWays(table) : EVERY_WAY
      return ways === 0 ? [] : [make(PHASE.restart, sql, { ways, unless: standsAt(database, name, next) })]
    }
    if (table === undefined || !concerns(step, table)) return []
    if (step.kind === 'check') return [make(PHASE.rows, `SET @afresh_check = (${sql})`, { sub: 1 })]
    if (isByHand(step, table)) return [make(PHASE.byHand, '')]
    const cut = step.kind === 'delete' || step.kind === 'truncate' ? cutWays(table) : 0
    const [only] = statementsOf(
      schema,
      { ...step, ...oneTable(step, table) } as Step,
      baseline.database,
      database,
    )
    const counts = step.kind === 'fill' ? 'inserts' : 'others'
    return [
      ...(cut === 0 ? [] : [make(PHASE.cut, truncate(table, database), { ways: cut })]),
      ...(cut === EVERY_WAY ? [] : [make(PHASE.rows, only ?? sql, { ways: EVERY_WAY & ~cut, counts })]),
    ]
  }

  /** The ways of being written after which the table is emptied by TRUNCATE. */
  function cutWays(table: Table): number {
    const step = plan.steps.find(
      (one) => (one.kind === 'delete' || one.kind === 'truncate') && one.tables.includes(table.id),
    )
    if (step === undefined || !isTruncatable(table)) return 0
    if (step.kind === 'truncate' || fires(table, 'DELETE')) return EVERY_WAY
    return step.kind === 'delete' && step.orTruncate !== undefined ? WAY.manyInserts : 0
  }

  /** A routine may not take triggers away, and nobody counts how MariaDB writes history. */
  function isByHand(step: Step, table: Table): boolean {
    if (!isTruncatable(table)) return true
    if (step.kind === 'trim' || step.kind === 'fill') return fires(table, 'DELETE') || fires(table, 'INSERT')
    return fires(table, 'DELETE') && plan.sequenceMode === 'keep'
  }

  function fires({ name }: Table, event: string): boolean {
    return triggers.some((trigger) => trigger.table === name && trigger.event === event)
  }
}

/** With names as they are: a variable in their place would have the servers look at all tables. */
export function standsAt(database: string, table: string, next: bigint | undefined): string {
  return `SELECT COALESCE(auto_increment, 1) = ${next} INTO @afresh_is FROM information_schema.tables
    WHERE table_schema = ${literal(database)} AND table_name = ${literal(table)}`
}

function concerns(step: Step, { id }: Table): boolean {
  switch (step.kind) {
    case 'delete':
    case 'truncate':
    case 'fill':
      return step.tables.includes(id)
    case 'trim':
      return step.table === id
    case 'check':
      return step.foreignKey.to === id
    default:
      return false
  }
}

function oneTable(step: Step, { id }: Table): object {
  return 'tables' in step ? { tables: [id] } : {}
}
