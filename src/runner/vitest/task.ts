/** The parts of a vitest test or suite that afresh uses, for vitest 3.2 and later. */
export interface Task {
  readonly name: string
  readonly concurrent?: boolean | undefined
  readonly suite?: Task | undefined
  readonly file?: { readonly filepath: string }
  readonly meta?: object
  readonly result?: { readonly state?: string } | undefined
  /** Whether the test passes if it fails: `test.fails`. */
  readonly fails?: boolean | undefined
}
