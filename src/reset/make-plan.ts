import type { Connection } from '../engine/connection.ts'
import type { Engine } from '../engine/engine.ts'
import type { DatabaseState } from '../engine/resetter.ts'
import { buildPlan } from '../plan/build.ts'
import type { Plan } from '../plan/plan.ts'
import { assignSequenceRanges } from '../plan/sequence-ranges.ts'
import type { Schema } from '../schema/schema.ts'
import type { ResetOptions, SessionInput } from './options.ts'

/** What a plan goes by beside the catalog. */
type PlanBasis = Pick<SessionInput, 'from' | 'costs'> & {
  /** The plan whose baseline stays. */
  readonly before?: { readonly schema: Schema; readonly plan: Plan }
  /** The schema, where it was read just now: another session may change it before it is read again. */
  readonly found?: Schema
}

/** The schema of the database and the plan for it; changes nothing. */
export async function planFor(
  engine: Engine,
  connection: Connection,
  options: ResetOptions,
  { from = 'found', costs = engine.costs?.defaults, before, ...read }: PlanBasis = {},
): Promise<{ schema: Schema; plan: Plan; survey: DatabaseState }> {
  const found = read.found ?? (await engine.introspect(connection))
  const survey = await engine.inspectState(connection, found)
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
  // Positions as they were found: those of the plan are another matter, and only a guarded reset moves anything.
  return { schema: from === 'nothing' ? found : schema, plan, survey }
}

/** With each sequence where another schema has it, or at its start. */
function atPositionsOf(schema: Schema, other?: Schema): Schema {
  const positions = new Map(other?.sequences.map(({ id, position }) => [id, position]))
  const sequences = schema.sequences.map((sequence) => ({
    ...sequence,
    position: positions.get(sequence.id) ?? { value: sequence.start, called: false },
  }))
  return { ...schema, sequences }
}
