import type { Difference } from './difference.ts'
import type { Part } from './schema.ts'

/** What was added, removed or changed. Empty if the engine provides no parts. */
export function differing(before: readonly Part[] = [], after: readonly Part[] = []): Difference[] {
  const was = new Map(before.map(({ label, text }) => [label, text]))
  const is = new Map(after.map(({ label, text }) => [label, text]))
  return [
    ...[...is.keys()]
      .filter((label) => !was.has(label))
      .map((label) => ({ subject: label, difference: 'is new' })),
    ...[...was].flatMap(([label, text]) => {
      const now = is.get(label)
      if (now === text) return []
      return [{ subject: label, difference: now === undefined ? 'is gone' : 'is another one' }]
    }),
  ]
}
