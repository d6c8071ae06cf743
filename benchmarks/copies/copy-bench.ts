export interface CopySize {
  readonly tables: number
  /** Rows of one table more; 0 for none. */
  readonly rows: number
}

/** One method to make a test database, with what it is compared to. */
export interface CopyMethod {
  readonly name: string
  /** Whether it is a raw method whose result is a whole copy. */
  readonly isRaw: boolean
  /** Not timed. */
  prepare?(): Promise<void>
  copy(): Promise<void>
  /** Removes what `copy` made. Not timed. */
  remove(): Promise<void>
}

export interface CopyBench {
  readonly methods: readonly CopyMethod[]
  /** Processor time of the server so far. */
  readonly cpuMs?: (() => number) | undefined
  close(): Promise<void>
}
