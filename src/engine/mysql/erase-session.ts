import { AfreshError } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import type { EraseDialect, EraseSession, Proof, Statement, TransactionOptions } from '../erase-dialect.ts'
import { changeInTransaction } from '../erase-statement.ts'
import { eraseErrorFrom } from './erase-error.ts'
import { eraseSettings, lockTimeoutSettings } from './erase-settings.ts'
import { begin, isInTransaction, startTransaction } from './erase-transaction.ts'
import { flavorOf } from './flavor-of.ts'
import { mysqlConnection, type Send } from './mysql-connection.ts'
import { swapped } from './session.ts'

/** Lock timeout, in milliseconds, that `alone` has set on connections owned by afresh. */
const lockTimeouts = new WeakMap<Connection, number>()

export const session: EraseDialect['session'] = async (connection, { lockTimeoutMs, proof }, body) => {
  const { recursionLimit } = await flavorOf(connection)
  const settings = swapped(eraseSettings(recursionLimit, lockTimeoutMs))
  return mysqlConnection(connection).pinned(async (send) => {
    const opened = new MysqlEraseSession(connection, { send, proof, lockTimeoutMs, settings })
    try {
      return await body(opened)
    } finally {
      await opened.restoreSettings()
    }
  })
}

interface SessionContext {
  readonly send: Send
  readonly proof: Proof | undefined
  readonly lockTimeoutMs: number
  readonly settings: ReturnType<typeof swapped>
}

class MysqlEraseSession implements EraseSession {
  readonly #connection: Connection
  readonly #context: SessionContext
  readonly #send: Send
  /** Whether the settings of an erase are in effect. */
  #isPrepared = false

  constructor(connection: Connection, context: SessionContext) {
    this.#connection = connection
    this.#context = context
    this.#send = context.send
  }

  async isolation(): Promise<'locks'> {
    return 'locks'
  }

  async transaction(
    statements: readonly Statement[],
    { keep, temporary, isolation, watch }: TransactionOptions,
  ): Promise<void> {
    await this.prepare()
    const open = await begin(this.#connection, this.#send, this.#context.proof, isolation)
    try {
      for (const [index, statement] of statements.entries())
        watch(index, await this.#run(statement, open.isNested))
    } catch (error) {
      await open.rollback(temporary).catch(() => {})
      throw error
    }
    await (keep ? open.commit(temporary) : open.rollback(temporary))
  }

  async prepare(): Promise<void> {
    const { save, set } = this.#context.settings
    if (!this.#isPrepared) await this.#send(`${save}; ${set}`)
    this.#isPrepared = true
  }

  async define(statement: Statement): Promise<void> {
    const { proof } = this.#context
    await this.prepare()
    if (!this.#connection.owned && (await isInTransaction(this.#send))) throw wouldCommit()
    // DDL commits implicitly: a proof in the transaction right before it is the closest check possible.
    if (proof === undefined) {
      await this.#run(statement)
      return
    }
    await startTransaction(this.#send, proof)
    try {
      await this.#run(statement)
    } catch (error) {
      await this.#send('ROLLBACK').catch(() => {})
      throw error
    }
  }

  async dropEmpty(table: string): Promise<void> {
    const { proof } = this.#context
    await this.prepare()
    // Waits for sessions that have written to the table. DROP would wait too, and delete their rows.
    const own = (sql: string, reads = false) => this.#run({ sql, values: [], reads })
    if (proof !== undefined) await startTransaction(this.#send, proof)
    await own(`LOCK TABLES ${table} WRITE`)
    try {
      const [rows] = await own(`SELECT count(*) AS n0 FROM ${table}`, true)
      if (rows === 0) await own(`DROP TABLE ${table}`)
    } finally {
      await this.#send('UNLOCK TABLES').catch(() => {})
    }
  }

  async alone(statement: Statement): Promise<number> {
    if (this.#context.proof !== undefined) return changeInTransaction(this, statement)
    if (this.#connection.owned) await this.#setLockTimeout()
    else await this.prepare()
    const [changed = 0] = await this.#run(statement)
    return changed
  }

  async discard(selection: string): Promise<void> {
    await this.#send(`DROP TEMPORARY TABLE IF EXISTS ${selection}`)
  }

  async restoreSettings(): Promise<void> {
    if (this.#isPrepared) await this.#send(this.#context.settings.restore).catch(() => {})
  }

  /** Stays on the connection, which saves a round trip for each statement that runs alone. */
  async #setLockTimeout(): Promise<void> {
    const { lockTimeoutMs } = this.#context
    if (this.#isPrepared || lockTimeouts.get(this.#connection) === lockTimeoutMs) return
    const settings = lockTimeoutSettings(lockTimeoutMs)
    await this.#send(`SET ${settings.map(({ name, value }) => `${name} = ${value}`).join(', ')}`)
    lockTimeouts.set(this.#connection, lockTimeoutMs)
  }

  async #run(statement: Statement, isNested = false): Promise<readonly number[]> {
    try {
      return await numbersOf(this.#send, statement)
    } catch (cause) {
      throw await eraseErrorFrom(this.#connection, statement.sql, cause, isNested)
    }
  }
}

async function numbersOf(send: Send, { sql, values, reads }: Statement): Promise<number[]> {
  const result = (await send(sql, values.length === 0 ? undefined : values)).at(-1)
  return reads ? Object.values(result?.rows[0] ?? {}).map(Number) : [result?.affected ?? 0]
}

function wouldCommit(): AfreshError {
  return new AfreshError(
    'usage',
    'archive: creating the archive table would commit the transaction of this client.',
    {
      next: 'End it first, make the tables (orders_archive) yourself, or erase by another connection. Nothing was changed.',
    },
  )
}
