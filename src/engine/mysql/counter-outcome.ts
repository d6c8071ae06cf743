import type { Outcome, Program } from '../resetter.ts'
import type { DetectionResult } from './counter-detector.ts'
import { REASON_COUNTERS } from './reasons.ts'

/** Derives what was dirty from what the routine did: the counts alone include rows that were rolled back. */
export function outcomeOfCounts({ plan }: Program, { ran }: DetectionResult): Outcome {
  const touched = ran.filter(({ step, rows, truncated }) => {
    const kind = plan.steps[step]?.kind
    return truncated || kind === 'restart' || (kind !== 'check' && rows > 0)
  })
  const dirty = touched.flatMap(({ step, of, truncated }) => {
    const made = plan.steps[step]
    if (made?.kind === 'restart') return [made.sequence]
    return truncated ? of.subjects : of.subjects.slice(0, 1)
  })
  const names = new Set(touched.map(({ of }) => of.name))
  return {
    detector: 'counters',
    why: REASON_COUNTERS,
    dirty: [...new Set(dirty)],
    ran: ran
      .filter(({ of }) => names.has(of.name))
      .map(({ step, truncated, rows }) => {
        const kind = plan.steps[step]?.kind
        const counts = !truncated && kind !== 'restart' && kind !== 'check'
        return { step, rows: counts ? rows : undefined, truncated: truncated && kind === 'delete' }
      })
      .sort((a, b) => a.step - b.step),
  }
}
