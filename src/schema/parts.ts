import { compareDefinitions, type Difference } from './difference.ts'
import type { Part } from './schema.ts'

/** What was added, removed or changed. Empty if the engine provides no parts. */
export function differing(before: readonly Part[] = [], after: readonly Part[] = []): Difference[] {
  const textsOf = (parts: readonly Part[]) => new Map(parts.map(({ label, text }) => [label, text]))
  return compareDefinitions(textsOf(before), textsOf(after))
}
