export interface CopySize {
  readonly tables: number
  /** Rows of one table more; 0 for none. */
  readonly rows: number
}

/** One way to make a test database, with what it is compared to. */
export interface CopyWay {
  readonly name: string
  /** Whether it is a raw way whose result is a whole copy. */
  readonly isRaw: boolean
  /** Not timed. */
  prepare?(): Promise<void>
  copy(): Promise<void>
  /** Removes what `copy` made. Not timed. */
  remove(): Promise<void>
}

export interface CopyBench {
  readonly ways: readonly CopyWay[]
  /** Processor time of the server so far. */
  readonly cpuMs?: (() => number) | undefined
  close(): Promise<void>
}
