/** What has to hold whenever rows, tables or the database itself are about to go. */
export interface Claim {
  /** The mark that the database has to carry. */
  readonly mark: string
  /** The lock that says whose it is for now; absent for a database that is not leased but attached or adopted. */
  readonly lease?: Lock | undefined
}

export interface Lock {
  readonly key: string
  /** The server's number of the session that holds it. */
  readonly session: number
}
