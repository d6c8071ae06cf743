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
