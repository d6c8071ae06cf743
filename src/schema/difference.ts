/** What is new, gone or different in comparison with the baseline, for display. */
export interface Difference {
  /** A table, a sequence or a definition: its label. */
  readonly subject: string
  /** A predicate: `is gone`. */
  readonly difference: string
}

/** `the index "orders_by_day" is gone` */
export function differenceText({ subject, difference }: Difference): string {
  return `${subject} ${difference}`
}

export const CHANGED = 'has changed'

/** What was added, removed or changed, of definitions by subject. */
export function compareDefinitions(
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
): Difference[] {
  return [
    ...[...after.keys()]
      .filter((subject) => !before.has(subject))
      .map((subject) => ({ subject, difference: 'is new' })),
    ...[...before].flatMap(([subject, definition]) => {
      if (!after.has(subject)) return [{ subject, difference: 'is gone' }]
      return after.get(subject) === definition ? [] : [{ subject, difference: CHANGED }]
    }),
  ]
}
