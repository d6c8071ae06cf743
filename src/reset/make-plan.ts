import type { Connection } from '../engine/connection.ts'
import type { Engine } from '../engine/engine.ts'
import type { DatabaseState } from '../engine/resetter.ts'
import { buildPlan } from '../plan/build.ts'
import type { Plan } from '../plan/plan.ts'
import { assignSequenceRanges } from '../plan/sequence-ranges.ts'
import type { Schema } from '../schema/schema.ts'
import type { ResetOptions, SessionInput } from './options.ts'

/** Inputs of a plan besides the catalog. */
type PlanBasis = Pick<SessionInput, 'from' | 'costs'> & {
  /** The plan whose baseline stays in force. */
  readonly before?: { readonly schema: Schema; readonly plan: Plan }
  /** The schema, if it was just read: another session could change it before a second read. */
  readonly found?: Schema
  readonly survey?: DatabaseState
}

/** The schema of the database and its plan. Changes nothing. */
export async function planFor(
  engine: Engine,
  connection: Connection,
  options: ResetOptions,
  { from = 'found', costs = engine.costs?.defaults, before, ...read }: PlanBasis = {},
): Promise<{ schema: Schema; plan: Plan; survey: DatabaseState }> {
  const found = read.found ?? (await engine.introspect(connection))
  const survey = read.survey ?? (await engine.inspectState(connection, found))
  const start =
    from === 'nothing' ? atPositionsOf(found) : before ? atPositionsOf(found, before.schema) : found
  const schema = options.sequences === 'spread' ? assignSequenceRanges(start) : start
  const { strategy, sequences, keep } = options
  const { mayDisableChecks, populated } = survey
  const plan = buildPlan(schema, {
    strategy,
    sequences,
    keep,
    mayDisableChecks,
    populated: from === 'nothing' ? [] : (before?.plan.populated ?? populated),
    capabilities: engine.capabilities,
    costs,
  })
  // Return the positions found in the database, not those of the plan: only a guarded reset moves a sequence.
  return { schema: from === 'nothing' ? found : schema, plan, survey }
}

/** Takes the position of each sequence from `other`, or its start if `other` lacks it. */
function atPositionsOf(schema: Schema, other?: Schema): Schema {
  const positions = new Map(other?.sequences.map(({ id, position }) => [id, position]))
  const sequences = schema.sequences.map((sequence) => ({
    ...sequence,
    position: positions.get(sequence.id) ?? { value: sequence.start, called: false },
  }))
  return { ...schema, sequences }
}
