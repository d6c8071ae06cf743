import { AfreshError } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import type { EraseDialect, EraseSession, Proof, Statement, TransactionOptions } from '../erase-dialect.ts'
import { asUnproven } from '../erase-proof.ts'
import { changeInTransaction } from '../erase-statement.ts'
import { eraseErrorFrom } from './erase-error.ts'
import { withLockTimeout } from './erase-settings.ts'
import { begin, isInTransaction, nested, RELEASE } from './erase-transaction.ts'
import { refusalOf } from './ownership.ts'
import { literal } from './quote.ts'

/** After this many attempts rows are locked instead, which costs a write per row but always succeeds. */
const MOST_SNAPSHOTS = 2

export const session: EraseDialect['session'] = (connection, { lockTimeoutMs, proof }, body) =>
  withLockTimeout(connection, lockTimeoutMs, () => body(new PostgresEraseSession(connection, proof)))

class PostgresEraseSession implements EraseSession {
  readonly #connection: Connection
  readonly #proof: Proof | undefined

  constructor(connection: Connection, proof: Proof | undefined) {
    this.#connection = connection
    this.#proof = proof
  }

  async isolation(attempt: number): Promise<'snapshot' | 'locks'> {
    if (!this.#connection.owned && (await isInTransaction(this.#connection))) {
      await this.#connection.query(RELEASE)
      return 'locks'
    }
    return attempt > MOST_SNAPSHOTS ? 'locks' : 'snapshot'
  }

  async transaction(
    statements: readonly Statement[],
    { keep, temporary, isolation, watch }: TransactionOptions,
  ): Promise<void> {
    const open = await begin(this.#connection, this.#proof, isolation)
    let position = 'COMMIT'
    try {
      for (const [index, statement] of statements.entries()) {
        position = statement.sql
        watch(index, await this.#run(statement))
      }
      position = 'COMMIT'
      // COMMIT checks deferred foreign keys.
      await (keep ? open.commit(temporary) : open.rollback())
    } catch (error) {
      await open.rollback().catch(() => {})
      // Blockers can only be queried outside of the failed transaction.
      throw error instanceof AfreshError
        ? error
        : await eraseErrorFrom(this.#connection, position, error, open.isNested)
    }
  }

  async prepare(): Promise<void> {}

  async define(statement: Statement): Promise<void> {
    await this.alone(statement)
  }

  async dropEmpty(table: string): Promise<void> {
    // Waits for sessions that have written to the table.
    const block = `BEGIN LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE; IF NOT EXISTS (SELECT FROM ${table}) THEN DROP TABLE ${table}; END IF; END`
    const sql = `DO ${literal(block)}`
    await this.alone({ sql, values: [], reads: false })
  }

  async alone(statement: Statement): Promise<number> {
    if (typeof this.#proof === 'object' && this.#connection.owned && statement.under !== undefined)
      return this.#runUnder(statement, statement.under(this.#proof.condition))
    return this.#proof === undefined ? this.#runUnproved(statement) : changeInTransaction(this, statement)
  }

  async discard(selection: string): Promise<void> {
    await this.#connection.query(`DROP TABLE IF EXISTS ${selection}`)
  }

  /** Runs one statement as its own transaction, with the proof among its conditions. */
  async #runUnder({ sql, values }: Statement, proven: string): Promise<number> {
    try {
      return await this.#connection.change(proven, values.length === 0 ? undefined : values)
    } catch (error) {
      if (refusalOf(error) !== undefined) throw asUnproven(error)
      throw await eraseErrorFrom(this.#connection, sql, error, false)
    }
  }

  async #runUnproved(statement: Statement): Promise<number> {
    // A failure must not abort a transaction of the user's.
    const within = this.#connection.owned ? undefined : await nested(this.#connection)
    try {
      const [changed = 0] = await this.#run(statement)
      await within?.commit([])
      return changed
    } catch (error) {
      await within?.rollback().catch(() => {})
      throw await eraseErrorFrom(this.#connection, statement.sql, error, within !== undefined)
    }
  }

  async #run({ sql, values, reads }: Statement): Promise<readonly number[]> {
    const bound = values.length === 0 ? undefined : values
    if (!reads) return [await this.#connection.change(sql, bound)]
    const [row] = await this.#connection.query(sql, bound)
    return Object.values(row ?? {}).map(Number)
  }
}
