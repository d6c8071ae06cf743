import type { Claim } from './claim.ts'
import type { Connection } from './connection.ts'
import type { Proof } from './erase-dialect.ts'

export interface Ownership {
  /** The mark that is there now; `undefined` where there is none. Not yet proved to be valid. */
  read(connection: Connection): Promise<string | undefined>
  /** The mark that the database the connection is in would have to carry, but for its nonce. */
  expected(connection: Connection): Promise<{ readonly server: string; readonly database: string }>
  /** Returns the mark as it stands there now. */
  write(connection: Connection, mark: string): Promise<string>
  /** Takes this very mark away; another one stays. */
  erase(connection: Connection, mark: string): Promise<void>
  /** Fails unless the claim holds, for the database that the connection is in. */
  proof(connection: Connection, claim: Claim): Promise<Proof>
  /** Where a proof failed because the claim does not hold: why, as a phrase. */
  whyRefused(connection: Connection, claim: Claim, error: unknown): Promise<string | undefined>
  /** In-memory or otherwise in this process alone: needs no mark. */
  isPrivate(connection: Connection): Promise<boolean>
}
