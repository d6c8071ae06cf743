/** As much of a vitest test or suite as is needed of it, from version 3.2 on. */
export interface Task {
  readonly name: string
  readonly concurrent?: boolean | undefined
  readonly suite?: Task | undefined
  readonly file?: { readonly filepath: string }
  readonly meta?: object
}
