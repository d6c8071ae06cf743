import type { Part } from './schema.ts'

/** In words: what is new, gone, or another one. Nothing where the engine does not tell. */
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
