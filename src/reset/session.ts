/**
 * In: a connection to a database at its baseline.
 * Out: resets of it, planned again when a test changes the schema.
 * Called by `harness/lease-session.ts` and `harness/attach.ts`.
 */
import type { Engine } from '../engine/engine.ts'
import type { Fingerprint } from '../engine/fingerprint.ts'
import type { Detector, Resetter } from '../engine/resetter.ts'
import { AfreshError } from '../errors.ts'
import { subjectLabel } from '../plan/describe.ts'
import type { Plan } from '../plan/plan.ts'
import type { Schema, SubjectId } from '../schema/schema.ts'
import { now } from '../util/clock.ts'
import { oneAtATime } from '../util/one-at-a-time.ts'
import { differenceOf, schemaDiff } from './diff.ts'
import { planFor } from './make-plan.ts'
import type { ResetOptions, SessionInput } from './options.ts'
import { afterReplan, mayBeOfTheSchema, type Planned, prepare, replan } from './replan.ts'
import { changedTables, reportOf, type SessionReset } from './report.ts'
import { type Difference, differences } from './verify.ts'

/** A database that can be reset to its contents at the start of the session. */
export interface ResetSession {
  readonly schema: Schema
  readonly plan: Plan
  readonly baseline: Fingerprint
  reset(): Promise<SessionReset>
  verify(): Promise<Difference[]>
  /** The tables and sequences that differ from the baseline, as far as that is committed. Changes nothing. */
  dirty(): Promise<readonly SubjectId[]>
  /** Milliseconds to wait for another session's lock. */
  readonly lockTimeoutMs: number
  /** Runs `work` while no reset is running. */
  alone<T>(work: () => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Reads the catalog, makes the plan and captures the baseline: once per session, before any test. */
export async function openSession(input: SessionInput): Promise<ResetSession> {
  const { engine, connection, options } = input
  refuseDetector(engine, options.detector)
  await engine.openResources?.begin?.(connection)
  const first = await planFor(engine, connection, options, { ...input, ...input.known })
  const baseline = input.baseline ?? (await engine.fingerprint(connection, first.schema))
  let planned = await prepare(input, first)

  const current = (): Planned => planned

  const reset = async (): Promise<SessionReset> => {
    const before = current()
    const attempt = await attemptReset(before, input)
    if (attempt.kind === 'done') return attempt.reset
    const { next, changed } = await replan(input, before)
    planned = next
    if (attempt.kind === 'failed') {
      // The schema did not cause the failure.
      if (next === before) throw attempt.error
      return afterReplan((await resetBy(next, options)).reset, changed, undefined)
    }
    if (changed.added.length === 0) return attempt.reset
    return afterReplan((await resetBy(next, options)).reset, changed, attempt.reset)
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
      const changed = await changedDefinitions(current(), input)
      // Contents cannot be compared if a definition changed.
      if (changed.length > 0) return [...changed]
      return differences(schema, plan, baseline, await engine.fingerprint(connection, schema))
    },
    dirty: () => {
      const { resetter } = current()
      return resetter.detectCommitted?.() ?? resetter.detect('scan')
    },
    close: () => planned.resetter.close(),
  }
}

/** The definitions that differ from the baseline's, without harmless additions. */
async function changedDefinitions(
  { resetter, schema }: Planned,
  { engine, connection }: SessionInput,
): Promise<readonly Difference[]> {
  const changes = await resetter.changes?.()
  if (changes !== undefined) return changes.filter(({ isHarmless }) => !isHarmless).map(differenceOf)
  const found = await resetter.differences?.()
  return found ?? schemaDiff(schema, await engine.introspect(connection)).broken
}

function refuseDetector({ title, capabilities }: Engine, wanted: Detector | 'auto'): void {
  if (wanted === 'auto' || capabilities.detectors.includes(wanted)) return
  throw new AfreshError('usage', `detector: ${title} has no "${wanted}".`, {
    next: `It has ${capabilities.detectors.map((name) => `"${name}"`).join(' and ')}; or leave the choice to "auto".`,
  })
}

/** What became of a reset by the current plan. */
type Attempt =
  | { readonly kind: 'done'; readonly reset: SessionReset }
  /** It succeeded, but the schema may differ from the one the plan was made for. */
  | { readonly kind: 'stale'; readonly reset: SessionReset }
  /** Such a difference may be the reason. */
  | { readonly kind: 'failed'; readonly error: unknown }

/** @throws the error of a reset that the schema cannot have caused */
async function attemptReset(planned: Planned, input: SessionInput): Promise<Attempt> {
  try {
    const { reset, isStale } = await resetBy(planned, input.options)
    return { kind: isStale ? 'stale' : 'done', reset }
  } catch (error) {
    if (!(await mayBeOfTheSchema(error, planned, input))) throw error
    return { kind: 'failed', error }
  }
}

async function resetBy(
  { resetter, schema, plan }: Planned,
  { crossCheck: isCrossChecked }: ResetOptions,
): Promise<{ readonly reset: SessionReset; readonly isStale: boolean }> {
  if (isCrossChecked) await crossCheck(resetter, schema)
  const start = now()
  const outcome = await resetter.reset()
  const report = reportOf(schema, plan, outcome, now() - start)
  const reset = { report, changedTables: changedTables(schema, plan, outcome) }
  return { reset, isStale: outcome.stale === true }
}

/** @throws AfreshError `reset`, naming all tables and sequences that only the scan finds dirty */
async function crossCheck(resetter: Resetter, schema: Schema): Promise<void> {
  const found = new Set(await resetter.detect())
  const missed = (await resetter.detect('scan')).filter((id) => !found.has(id))
  if (missed.length === 0) return
  const labels = missed.map((id) => subjectLabel(schema, id)).join(', ')
  throw new AfreshError('reset', `The detector missed what a scan finds dirty: ${labels}.`, {
    next: `Report it, and set \`detector: 'scan'\`, which is exact, until it is fixed.`,
  })
}
