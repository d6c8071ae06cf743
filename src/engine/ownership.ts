import type { Claim } from './claim.ts'
import type { Connection } from './connection.ts'
import type { Proof } from './erase-dialect.ts'

export interface Ownership {
  /** Reads the current mark; `undefined` if there is none. The mark is not validated. */
  read(connection: Connection): Promise<string | undefined>
  /** The identity that a mark of the connection's database must state. */
  expected(connection: Connection): Promise<{ readonly server: string; readonly database: string }>
  /** Writes a mark and returns it as stored. */
  write(connection: Connection, mark: string): Promise<string>
  /** Removes this mark; leaves another one in place. */
  erase(connection: Connection, mark: string): Promise<void>
  /** Fails unless the claim holds for the connection's database. */
  proof(connection: Connection, claim: Claim): Promise<Proof>
  /** Explains, as a phrase, a proof that failed because the claim does not hold; else `undefined`. */
  whyRefused(connection: Connection, claim: Claim, error: unknown): Promise<string | undefined>
  /** Whether only this process can access the database, such as one in memory: it needs no mark. */
  isPrivate(connection: Connection): Promise<boolean>
}
