import type { Part } from './schema.ts'

/** What was added, removed or changed, in words. Empty if the engine provides no parts. */
export function differing(before: readonly Part[] = [], after: readonly Part[] = []): string[] {
  const was = new Map(before.map(({ label, text }) => [label, text]))
  const is = new Map(after.map(({ label, text }) => [label, text]))
  return [
    ...[...is.keys()].filter((label) => !was.has(label)).map((label) => `${label} is new`),
    ...[...was].flatMap(([label, text]) => {
      const now = is.get(label)
      return now === text ? [] : [`${label} is ${now === undefined ? 'gone' : 'another one'}`]
    }),
  ]
}
