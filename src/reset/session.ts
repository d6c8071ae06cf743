import type { Connection, Detector, Engine, Fingerprint, Resetter, Survey } from '../engine/engine.ts'
import { AfreshError } from '../errors.ts'
import { buildPlan } from '../plan/build.ts'
import type { Costs } from '../plan/cost.ts'
import { subjectLabel } from '../plan/describe.ts'
import type { Plan, SequenceMode, Strategy } from '../plan/plan.ts'
import { spreadSequences } from '../plan/spread.ts'
import type { Schema } from '../schema/schema.ts'
import { driftOf } from './drift.ts'
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
  /** How long it waits for another session's lock, in milliseconds. */
  readonly lockTimeoutMs: number
  /** Runs it while no reset does. */
  alone<T>(work: () => Promise<T>): Promise<T>
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
  const { engine, connection, options } = input
  refuseDetector(engine, options.detector)
  const first = await planFor(engine, connection, options, input)
  const baseline = input.baseline ?? (await engine.fingerprint(connection, first.schema))
  let last = await prepare(input, first)
  let planned: Planned | undefined = last

  const current = (): Planned => {
    if (planned !== undefined) return planned
    throw new AfreshError(
      'plan',
      'A test changed the schema, and no plan could be made for what it is now.',
      {
        next: 'Lease or attach again.',
      },
    )
  }

  const reset = async (): Promise<ResetReport> => {
    const before = current()
    const outcome = await resetBy(before, options).catch((error) => {
      // The old plan put nothing right: a new one would take what is there now for the baseline.
      if (!isStale(error) || input.template === undefined || !engine.capabilities.baselineInTemplate)
        throw error
      return { error }
    })
    if ('report' in outcome && !outcome.isStale) return outcome.report
    planned = undefined
    const { next, added } = await replan(input, before)
    planned = last = next
    if ('report' in outcome && added.length === 0) return outcome.report
    const { report } = await resetBy(next, options)
    return afterReplan(report, added, 'report' in outcome ? outcome.report : undefined)
  }
  const alone = oneAtATime()
  return {
    get schema() {
      return current().schema
    },
    get plan() {
      return current().plan
    },
    baseline,
    reset: () => alone(reset),
    alone,
    lockTimeoutMs: options.lockTimeoutMs,
    verify: async () => {
      const { schema, plan } = current()
      return differences(schema, plan, baseline, await engine.fingerprint(connection, schema))
    },
    close: () => last.resetter.close(),
  }
}

/** A plan and what carries it out. */
interface Planned {
  readonly schema: Schema
  readonly plan: Plan
  readonly resetter: Resetter
}

async function prepare(
  { engine, connection, options, mark, template }: SessionInput,
  { schema, plan }: { readonly schema: Schema; readonly plan: Plan },
): Promise<Planned> {
  const { lockTimeoutMs, detector } = options
  const resetter = await engine.prepare(connection, { schema, plan, mark, template, lockTimeoutMs, detector })
  return { schema, plan, resetter }
}

/**
 * A new plan, for a schema that a test changed. The baseline stays what it was, and what is new is to be empty.
 *
 * @throws AfreshError `plan` naming every table that is gone or has other columns: no reset brings those back
 */
async function replan(
  input: SessionInput,
  before: Planned,
): Promise<{ readonly next: Planned; readonly added: readonly string[] }> {
  const { engine, connection, options } = input
  const { broken, added } = driftOf(before.schema, await engine.introspect(connection))
  if (broken.length > 0) {
    throw new AfreshError('plan', `A test changed the schema: ${broken.join(', ')}.`, {
      next: 'Lease or attach again to take the new one into account.',
    })
  }
  await before.resetter.close()
  const next = await planFor(engine, connection, options, { ...input, from: 'found', before })
  return { next: await prepare(input, next), added }
}

function isStale(error: unknown): boolean {
  return error instanceof AfreshError && error.code === 'plan'
}

/** `first`: what was put right before by the old plan, where it could be. */
function afterReplan(
  report: ResetReport,
  added: readonly string[],
  first: ResetReport | undefined,
): ResetReport {
  return {
    ...report,
    dirty: [...new Set([...(first?.dirty ?? []), ...report.dirty])],
    written: [...(first?.written ?? []), ...report.written],
    steps: [...(first?.steps ?? []), ...report.steps],
    durationMs: (first?.durationMs ?? 0) + report.durationMs,
    notes: [
      ...report.notes,
      added.length === 0
        ? 'A test changed the schema: planned anew.'
        : `A test made ${added.join(', ')}: planned anew, and emptied with the rest from now on.`,
    ],
  }
}

function refuseDetector({ title, capabilities }: Engine, wanted: Detector | 'auto'): void {
  if (wanted === 'auto' || capabilities.detectors.includes(wanted)) return
  throw new AfreshError('usage', `detector: ${title} has no "${wanted}".`, {
    next: `It has ${capabilities.detectors.map((name) => `"${name}"`).join(' and ')}; or leave the choice to "auto".`,
  })
}

/** What a plan goes by beside the catalog. */
type PlanBasis = Pick<SessionInput, 'from' | 'costs'> & {
  /** The plan whose baseline stays. */
  readonly before?: { readonly schema: Schema; readonly plan: Plan }
}

/** The schema of the database and the plan for it; changes nothing. */
export async function planFor(
  engine: Engine,
  connection: Connection,
  options: ResetOptions,
  { from = 'found', costs = engine.costs?.defaults, before }: PlanBasis = {},
): Promise<{ schema: Schema; plan: Plan; survey: Survey }> {
  const found = await engine.introspect(connection)
  const survey = await engine.survey(connection, found)
  const start =
    from === 'nothing' ? atPositionsOf(found) : before ? atPositionsOf(found, before.schema) : found
  const schema = options.sequences === 'spread' ? spreadSequences(start) : start
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

async function resetBy(
  { resetter, schema, plan }: Planned,
  { crossCheck: isCrossChecked }: ResetOptions,
): Promise<{ readonly report: ResetReport; readonly isStale: boolean }> {
  if (isCrossChecked) await crossCheck(resetter, schema)
  const start = performance.now()
  const outcome = await resetter.reset()
  const report = reportOf(schema, plan, outcome, performance.now() - start)
  return { report, isStale: outcome.stale === true }
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
 * Calls wait for each other: a runner may begin a test's hook while another's is not over (jest, after an uncaught
 * exception).
 */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const next = last.then(work, work)
    last = next.catch(() => {})
    return next
  }
}
