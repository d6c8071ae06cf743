import { type AttachOptions, parseAttachOptions } from '../config/options.ts'
import { readServerCosts } from '../costs/store.ts'
import { readMark } from '../database/guard.ts'
import type { Connection } from '../engine/connection.ts'
import type { Engine } from '../engine/engine.ts'
import { open } from '../engine/registry.ts'
import { withCleanUp } from '../errors.ts'
import { MOST_BYTES } from '../plan/cost.ts'
import { cyclesOf, describeStep, tableLabel } from '../plan/describe.ts'
import type { Plan, Step } from '../plan/plan.ts'
import { planFor } from '../reset/make-plan.ts'
import type { BaselineFrom, ResetOptions } from '../reset/options.ts'
import { graphOf } from '../schema/graph.ts'
import type { Schema, TableId } from '../schema/schema.ts'

/** What a reset would do, for display and as JSON. */
export interface PlanView {
  readonly engine: string
  readonly database: string
  /** Whether afresh may reset the database. */
  readonly marked: boolean
  readonly strategy: Plan['strategy']
  readonly sequenceMode: Plan['sequenceMode']
  /** `unchecked`: foreign keys and triggers are off. `ordered`: they stay on, so the order matters. */
  readonly mode: Plan['mode']
  readonly foreignKeys: number
  readonly sequences: number
  /** Labels, children before parents. The tables of a cycle form one group. */
  readonly order: readonly (readonly string[])[]
  readonly cycles: readonly (readonly string[])[]
  readonly selfReferencing: readonly string[]
  readonly kept: readonly { readonly table: string; readonly reason: string }[]
  /** Tables that have rows now. */
  readonly tablesWithRows: readonly string[]
  /** Whether the costs of DELETE and TRUNCATE were measured on this server, or are the engine's defaults. */
  readonly costs: 'measured' | 'assumed'
  readonly steps: readonly StepView[]
}

/** A step of a plan: what a reset runs, when, and why in this way. */
export interface StepView {
  readonly kind: Step['kind']
  /** In words: `delete from orders`. */
  readonly step: string
  readonly reason: string
  /** The step runs if one of these tables or sequences is dirty. */
  readonly when: readonly string[]
  /** It also runs if one of these references something dirty, directly or indirectly. Absent if none does. */
  readonly follows?: readonly string[]
  readonly sql: string
  /** Number of rows above which TRUNCATE replaces DELETE; absent if it never does. */
  readonly truncateAboveRows?: number
  /** The same if the table's counter has moved and TRUNCATE restores it. */
  readonly truncateAboveRowsIfMoved?: number
  /** Bytes of dead pages above which TRUNCATE replaces DELETE; absent if the server reclaims them itself. */
  readonly truncateAboveDeadBytes?: number
  /** The tables that this TRUNCATE empties. */
  readonly truncateTables?: readonly string[]
}

/**
 * The plan for a database whose current contents are the baseline. Changes nothing, so it accepts any
 * database.
 *
 * @throws AfreshError `usage`, `server`; `plan` if no plan is possible without changing kept tables
 */
export async function planReset(url: string, options: AttachOptions = {}): Promise<PlanView> {
  const { reset } = parseAttachOptions(options)
  const { engine, connection } = await open(url)
  return withCleanUp(
    () => viewOf(engine, connection, reset),
    () => connection.close(),
  )
}

export async function viewOf(
  engine: Engine,
  connection: Connection,
  options: ResetOptions,
  from?: BaselineFrom,
): Promise<PlanView> {
  const costs = await readServerCosts({ engine, connection })
  const { schema, plan, survey } = await planFor(engine, connection, options, { from, costs })
  const isPrivate = await engine.ownership.isPrivate(connection)
  const sql = engine.render(schema, plan)
  const label = (id: TableId) => tableLabel(schema, id)
  return {
    engine: engine.title,
    database: connection.database,
    marked: isPrivate || (await readMark({ engine, connection })).isForGood,
    strategy: plan.strategy,
    sequenceMode: plan.sequenceMode,
    mode: plan.mode,
    foreignKeys: schema.foreignKeys.length,
    sequences: schema.sequences.length,
    order: plan.order.map((group) => group.map(label)),
    cycles: cyclesOf(schema, plan),
    selfReferencing: [...graphOf(schema).selfReferencing].map(label),
    kept: plan.kept.map(({ table, reason }) => ({ table: label(table), reason })),
    tablesWithRows: survey.populated.map(label),
    costs: costs === undefined ? 'assumed' : 'measured',
    steps: plan.steps.map((step, index) => stepView(schema, step, sql[index] ?? '')),
  }
}

function stepView(schema: Schema, step: Step, sql: string): StepView {
  const labels = labelsOf(schema)
  const label = (id: string) => labels.get(id) ?? id
  const instead = step.kind === 'delete' ? step.truncateAlternative : undefined
  return {
    kind: step.kind,
    step: describeStep(schema, step),
    reason: step.reason,
    when: step.when.map(label),
    ...(step.follows && { follows: step.follows.map(label) }),
    sql,
    ...(instead !== undefined && {
      truncateAboveRows: instead.threshold.aboveRows,
      truncateAboveRowsIfMoved: instead.threshold.aboveRowsIfMoved,
      ...(instead.threshold.deadBytes < MOST_BYTES && {
        truncateAboveDeadBytes: instead.threshold.deadBytes,
      }),
      truncateTables: instead.tables.map(label),
    }),
  }
}

function labelsOf({ tables, sequences }: Schema): Map<string, string> {
  return new Map([...tables, ...sequences].map(({ id, label }) => [id, label]))
}
