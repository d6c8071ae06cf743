import type { Connection, Detector, Engine, Fingerprint, Resetter, Survey } from '../engine/engine.ts'
import { AfreshError } from '../errors.ts'
import { buildPlan } from '../plan/build.ts'
import type { Costs } from '../plan/cost.ts'
import { subjectLabel } from '../plan/describe.ts'
import type { Plan, SequenceMode, Strategy } from '../plan/plan.ts'
import { spreadSequences } from '../plan/spread.ts'
import type { Schema } from '../schema/schema.ts'
import { type ResetReport, reportOf } from './report.ts'
import { type Difference, differences } from './verify.ts'

export interface ResetOptions {
  readonly strategy: Strategy
  readonly sequences: SequenceMode
  /** Names or globs of tables that are never touched. */
  readonly keep: readonly string[]
  /** Milliseconds to wait for another session's lock before the reset fails and names it. */
  readonly lockTimeoutMs: number
  readonly detector: Detector | 'auto'
  /** Before each reset, hold the detector against a scan, and fail where it missed something. */
  readonly crossCheck: boolean
}

/** A database that can be put back to what was in it when the session began. */
export interface ResetSession {
  readonly schema: Schema
  readonly plan: Plan
  readonly baseline: Fingerprint
  reset(): Promise<ResetReport>
  verify(): Promise<Difference[]>
  close(): Promise<void>
}

export interface SessionInput {
  readonly engine: Engine
  readonly connection: Connection
  readonly options: ResetOptions
  readonly mark: string | undefined
  /** A database on the same server that holds the baseline too. */
  readonly template?: string | undefined
  /** The baseline's fingerprint, where it is known already. */
  readonly baseline?: Fingerprint | undefined
  /** Default: what is in the database now. */
  readonly from?: BaselineFrom | undefined
  /** What DELETE and TRUNCATE cost on this server. Default: the engine's. */
  readonly costs?: Costs | undefined
}

/** What the baseline is: what is in the database now, or nothing at all, with every sequence at its start. */
export type BaselineFrom = 'found' | 'nothing'

/** Reads the catalog, makes the plan, and captures the baseline: once a session, before any test. */
export async function openSession(input: SessionInput): Promise<ResetSession> {
  const { engine, connection, options, mark } = input
  refuseDetector(engine, options.detector)
  const { schema, plan } = await planFor(engine, connection, options, input)
  const baseline = input.baseline ?? (await engine.fingerprint(connection, schema))
  const resetter = await engine.prepare(connection, {
    schema,
    plan,
    mark,
    template: input.template,
    lockTimeoutMs: options.lockTimeoutMs,
    detector: options.detector,
  })
  return {
    schema,
    plan,
    baseline,
    reset: oneAtATime(async () => {
      if (options.crossCheck) await crossCheck(resetter, schema)
      return timedReset(resetter, schema, plan)
    }),
    verify: async () => differences(schema, plan, baseline, await engine.fingerprint(connection, schema)),
    close: () => resetter.close(),
  }
}

function refuseDetector({ title, capabilities }: Engine, wanted: Detector | 'auto'): void {
  if (wanted === 'auto' || capabilities.detectors.includes(wanted)) return
  throw new AfreshError('usage', `detector: ${title} has no "${wanted}".`, {
    next: `It has ${capabilities.detectors.map((name) => `"${name}"`).join(' and ')}; or leave the choice to "auto".`,
  })
}

/** The schema of the database and the plan for it; changes nothing. */
export async function planFor(
  engine: Engine,
  connection: Connection,
  options: ResetOptions,
  { from = 'found', costs = engine.costs?.defaults }: Pick<SessionInput, 'from' | 'costs'> = {},
): Promise<{ schema: Schema; plan: Plan; survey: Survey }> {
  const found = await engine.introspect(connection)
  const survey = await engine.survey(connection, found)
  const start = from === 'nothing' ? atTheirStart(found) : found
  const schema = options.sequences === 'spread' ? spreadSequences(start) : start
  const { strategy, sequences, keep } = options
  const { mayDisableChecks, populated } = survey
  const plan = buildPlan(schema, {
    strategy,
    sequences,
    keep,
    mayDisableChecks,
    populated: from === 'nothing' ? [] : populated,
    capabilities: engine.capabilities,
    costs,
  })
  // Positions as they were found: those of the plan are another matter, and only a guarded reset moves anything.
  return { schema: from === 'nothing' ? found : schema, plan, survey }
}

function atTheirStart(schema: Schema): Schema {
  const sequences = schema.sequences.map((sequence) => ({
    ...sequence,
    position: { value: sequence.start, called: false },
  }))
  return { ...schema, sequences }
}

async function timedReset(resetter: Resetter, schema: Schema, plan: Plan): Promise<ResetReport> {
  const start = performance.now()
  const outcome = await resetter.reset()
  return reportOf(schema, plan, outcome, performance.now() - start)
}

/** Throws `AfreshError` (`reset`) naming every table and sequence that a scan finds dirty and the detector does not. */
async function crossCheck(resetter: Resetter, schema: Schema): Promise<void> {
  const found = new Set(await resetter.detect())
  const missed = (await resetter.detect('scan')).filter((id) => !found.has(id))
  if (missed.length === 0) return
  const labels = missed.map((id) => subjectLabel(schema, id)).join(', ')
  throw new AfreshError('reset', `The detector missed what a scan finds dirty: ${labels}.`, {
    next: `Please report it; until it is mended, \`detector: 'scan'\` is exact.`,
  })
}

/**
 * Resets wait for each other: a runner may begin a test's hook while another's is not over (jest, after an
 * uncaught exception).
 */
function oneAtATime<T>(work: () => Promise<T>): () => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return () => {
    const next = last.then(work, work)
    last = next.catch(() => {})
    return next
  }
}
