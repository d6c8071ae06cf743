import type { Fingerprint } from '../engine/fingerprint.ts'
import { sequenceLabel } from '../plan/describe.ts'
import type { Plan } from '../plan/plan.ts'
import type { Difference } from '../schema/difference.ts'
import type { Schema } from '../schema/schema.ts'

export type { Difference } from '../schema/difference.ts'

/** All differences, except in kept tables and sequences. Pure. */
export function differences(
  schema: Schema,
  plan: Plan,
  baseline: Fingerprint,
  now: Fingerprint,
): Difference[] {
  const reset = new Set(plan.order.flat())
  const tables = schema.tables
    .filter(({ id }) => reset.has(id))
    .flatMap(({ id, label }) => {
      const [was, is] = [baseline.tables.get(id), now.tables.get(id)]
      if (is === undefined) return [{ subject: label, difference: 'is gone' }]
      if ((was?.rows ?? 0) !== is.rows)
        return [{ subject: label, difference: `has ${is.rows} rows, not ${was?.rows ?? 0}` }]
      return was === undefined || was.hash === is.hash
        ? []
        : [{ subject: label, difference: `has other content in its ${is.rows} rows` }]
    })
  const sequences = plan.steps.flatMap((step) => {
    if (step.kind !== 'restart') return []
    const wanted = `${step.to.value}:${step.to.called}`
    const is = now.sequences.get(step.sequence)
    const subject = sequenceLabel(schema, step.sequence)
    return is === wanted ? [] : [{ subject, difference: `stands at ${is ?? 'nothing'}, not ${wanted}` }]
  })
  return [...tables, ...sequences]
}
