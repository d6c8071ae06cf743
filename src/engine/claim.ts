/** What must hold before afresh deletes rows, tables or the database itself. */
export interface Claim {
  /** The ownership mark that the database must carry. */
  readonly mark: string
  /** The lease lock of the database; absent if the database is attached or adopted. */
  readonly lease?: Lock | undefined
}

export interface Lock {
  readonly key: string
  /** The server's id of the session that holds the lock. */
  readonly session: number
}
