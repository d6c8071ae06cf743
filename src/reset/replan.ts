import type { Resetter } from '../engine/resetter.ts'
import { AfreshError } from '../errors.ts'
import type { Plan } from '../plan/plan.ts'
import { type Difference, differenceText } from '../schema/difference.ts'
import type { Schema } from '../schema/schema.ts'
import { differenceOf, listed, schemaDiff } from './diff.ts'
import { planFor } from './make-plan.ts'
import type { SessionInput } from './options.ts'
import type { SessionReset } from './report.ts'

/** A plan and the resetter that runs it. */
export interface Planned {
  readonly schema: Schema
  readonly plan: Plan
  readonly resetter: Resetter
}

export async function prepare(
  { engine, connection, options, ...given }: SessionInput,
  { schema, plan }: { readonly schema: Schema; readonly plan: Plan },
  before?: Resetter,
): Promise<Planned> {
  const { lockTimeoutMs, detector } = options
  const { claim, isLeasedElsewhere, template, copyName, findings, pristine } = given
  const program = {
    schema,
    plan,
    claim,
    isLeasedElsewhere,
    template,
    copyName,
    lockTimeoutMs,
    detector,
    findings,
    pristine,
  }
  return { schema, plan, resetter: await engine.prepare(connection, { ...program, before }) }
}

/** What a test changed in a schema that can still be reset. */
export interface SchemaAdditions {
  /** Otherwise the definitions are those of before. */
  readonly isChanged: boolean
  /** Names of new tables. */
  readonly added: readonly string[]
}

/**
 * A new plan for a schema that a test added to. The baseline stays the same, and new tables are empty in it.
 *
 * @returns the previous plan if nothing relevant was added
 * @throws AfreshError `plan`, naming all changes that no reset can undo
 */
export async function replan(
  input: SessionInput,
  before: Planned,
): Promise<{ readonly next: Planned; readonly changed: SchemaAdditions }> {
  const { engine, connection, options } = input
  const changes = await before.resetter.changes?.()
  if (changes?.length === 0) return { next: before, changed: { isChanged: false, added: [] } }
  const lasting = changes?.filter(({ isHarmless }) => !isHarmless).map(differenceOf)
  if (lasting !== undefined && lasting.length > 0) throw changedSchema(lasting)
  const found = await engine.introspect(connection)
  const drift = schemaDiff(before.schema, found)
  const broken = lasting ?? drift.broken
  if (broken.length > 0) throw changedSchema(broken)
  if (changes === undefined) await before.resetter.close()
  const next = await planFor(engine, connection, options, { ...input, from: 'found', before, found })
  const { added } = drift
  // A TRUNCATE or ALTER of another session may show a table as missing or changed while it runs.
  const isChanged = changes !== undefined || added.length > 0
  return { next: await prepare(input, next, before.resetter), changed: { isChanged, added } }
}

function changedSchema(changes: readonly Difference[]): AfreshError {
  return new AfreshError('plan', `A test changed the schema: ${listed(changes.map(differenceText))}.`, {
    next: 'Change it back, or lease or attach again to take the new one into account.',
  })
}

/** Whether the error may be due to a schema that differs from the one the plan was made for. */
export async function mayBeOfTheSchema(
  error: unknown,
  { resetter }: Planned,
  { engine, template }: SessionInput,
): Promise<boolean> {
  if (!(error instanceof AfreshError) || error.code === 'refused' || error.code === 'server') return false
  // The old plan restored nothing: without a template, a new one would make the current rows the baseline.
  if (resetter.changes === undefined) {
    return isStale(error) && template !== undefined && engine.capabilities.baselineInTemplate
  }
  return error.code !== 'blocked' && (await resetter.changes().catch(() => [])).length > 0
}

function isStale(error: AfreshError): boolean {
  return error.code === 'plan'
}

/** @param first the old plan's reset, if it succeeded */
export function afterReplan(
  { report, changedTables }: SessionReset,
  { isChanged, added }: SchemaAdditions,
  first: SessionReset | undefined,
): SessionReset {
  const note =
    added.length === 0
      ? 'A test changed the schema: planned again.'
      : `A test made ${added.join(', ')}: planned again, and emptied with the rest from now on.`
  const before = first?.report
  return {
    report: {
      ...report,
      dirty: [...new Set([...(before?.dirty ?? []), ...report.dirty])],
      writes: [...(before?.writes ?? []), ...report.writes],
      steps: [...(before?.steps ?? []), ...report.steps],
      durationMs: (before?.durationMs ?? 0) + report.durationMs,
      notes: [...report.notes, ...(isChanged ? [note] : [])],
    },
    changedTables: [...new Set([...(first?.changedTables ?? []), ...changedTables])],
  }
}
