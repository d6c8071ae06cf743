import { AfreshError, codeOf, EraseError, type ErrorCode } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import { REMEDIES } from '../erase-advice.ts'
import { asConflict } from '../erase-conflict.ts'
import type { EraseDialect, EraseSession, Isolation, Proof, Statement } from '../erase-dialect.ts'
import { asUnproven, proving } from '../erase-proof.ts'
import { blockersOf } from './blockers.ts'
import { refusalOf } from './ownership.ts'
import { literal } from './quote.ts'

/** After this many attempts rows are locked instead, which costs a write per row but always succeeds. */
const MOST_SNAPSHOTS = 2

/** The current `lock_timeout` of connections that afresh opened, in milliseconds. */
const waiting = new WeakMap<Connection, number>()

export const session: EraseDialect['session'] = async (connection, { lockTimeoutMs, proof }, body) => {
  const run = async ({ sql, values, reads }: Statement): Promise<readonly number[]> => {
    const bound = values.length === 0 ? undefined : values
    if (!reads) return [await connection.change(sql, bound)]
    const [row] = await connection.query(sql, bound)
    return Object.values(row ?? {}).map(Number)
  }
  const alone = async (statement: Statement): Promise<number> => {
    if (typeof proof === 'object' && connection.owned && statement.under !== undefined) {
      return runUnder(connection, statement, statement.under(proof.condition))
    }
    if (proof !== undefined) return proven(statement)
    // A failure must not abort a transaction of the user's.
    const within = connection.owned ? undefined : await nested(connection)
    try {
      const [changed = 0] = await run(statement)
      if (within !== undefined) await connection.query(within.commit([]))
      return changed
    } catch (error) {
      await within?.rollback().catch(() => {})
      throw await failed(connection, statement.sql, error, within !== undefined)
    }
  }
  const transaction: EraseSession['transaction'] = async (
    statements,
    { keep, temporary, isolation, watch },
  ) => {
    const { isNested, commit, rollback } = await begin(connection, proof, isolation)
    let position = 'COMMIT'
    try {
      for (const [index, statement] of statements.entries()) {
        position = statement.sql
        watch(index, await run(statement))
      }
      position = 'COMMIT'
      // COMMIT checks deferred foreign keys.
      if (keep) await connection.query(commit(temporary))
      else await rollback()
    } catch (error) {
      await rollback().catch(() => {})
      // Blockers can only be queried outside of the failed transaction.
      throw error instanceof AfreshError ? error : await failed(connection, position, error, isNested)
    }
  }
  const proven = async (statement: Statement): Promise<number> => {
    let changed = 0
    const watch = (_: number, [count = 0]: readonly number[]) => {
      changed = count
    }
    await transaction([statement], { keep: true, cyclic: false, isolation: 'none', temporary: [], watch })
    return changed
  }
  return waitingFor(connection, lockTimeoutMs, () =>
    body({
      prepare: async () => {},
      async isolation(attempt) {
        if (!connection.owned && (await isInTransaction(connection))) {
          await connection.query('RELEASE SAVEPOINT afresh_erase')
          return 'locks'
        }
        return attempt > MOST_SNAPSHOTS ? 'locks' : 'snapshot'
      },
      alone,
      define: async (statement) => void (await alone(statement)),
      async dropEmpty(table) {
        // Waits for sessions that have written to the table.
        const block = `BEGIN LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE; IF NOT EXISTS (SELECT FROM ${table}) THEN DROP TABLE ${table}; END IF; END`
        const sql = `DO ${literal(block)}`
        await alone({ sql, values: [], reads: false })
      },
      transaction,
      discard: async (selection) => void (await connection.query(`DROP TABLE IF EXISTS ${selection}`)),
    }),
  )
}

/** Runs one statement as its own transaction, with the proof among its conditions. */
async function runUnder(connection: Connection, { sql, values }: Statement, proven: string): Promise<number> {
  try {
    return await connection.change(proven, values.length === 0 ? undefined : values)
  } catch (error) {
    throw refusalOf(error) === undefined ? await failed(connection, sql, error, false) : asUnproven(error)
  }
}

function sqlOf(proof: Proof | undefined): string[] {
  if (typeof proof === 'string') return [proof]
  return typeof proof === 'object' ? [proof.statement] : []
}

/**
 * Restores the timeout of a user's client afterwards. In a failed transaction the server rejects every
 * statement.
 */
async function waitingFor<T>(
  connection: Connection,
  lockTimeoutMs: number,
  body: () => Promise<T>,
): Promise<T> {
  if (connection.owned) {
    if (waiting.get(connection) !== lockTimeoutMs) {
      await connection.query(`SET lock_timeout = ${lockTimeoutMs}`)
      waiting.set(connection, lockTimeoutMs)
    }
    return body()
  }
  const before = await lockTimeoutOf(connection)
  await connection.query(`SET lock_timeout = ${lockTimeoutMs}`)
  try {
    return await body()
  } finally {
    await connection.query(`SET lock_timeout = '${before}'`).catch(() => {})
  }
}

async function lockTimeoutOf(connection: Connection): Promise<string> {
  try {
    const [row] = await connection.query('SHOW lock_timeout')
    return String(row?.lock_timeout ?? '0')
  } catch (cause) {
    if (codeOf(cause) !== '25P02') throw cause // in_failed_sql_transaction
    throw new AfreshError(
      'erase',
      'The client is in a transaction that has failed: the server does nothing in it.',
      {
        next: 'Roll it back, then erase. Nothing was changed.',
        cause,
      },
    )
  }
}

interface Transaction {
  readonly isNested: boolean
  /** Returns the statements that end the transaction and keep its changes. */
  commit(temporary: readonly string[]): string
  rollback(): Promise<unknown>
}

/** If a user's client is already in a transaction, uses a savepoint within it. */
async function begin(
  connection: Connection,
  proof: Proof | undefined,
  isolation: Isolation,
): Promise<Transaction> {
  const within = connection.owned ? undefined : await nested(connection)
  const found: Transaction = within ?? {
    isNested: false,
    commit: () => 'COMMIT',
    rollback: () => connection.query('ROLLBACK'),
  }
  const begun = `BEGIN ISOLATION LEVEL ${isolation === 'snapshot' ? 'REPEATABLE READ' : 'READ COMMITTED'}`
  const first = [...(within === undefined ? [begun] : []), ...sqlOf(proof)]
  if (first.length === 0) return found
  try {
    await proving(() => connection.query(first.join('; ')))
  } catch (error) {
    await found.rollback().catch(() => {})
    throw error
  }
  return found
}

async function nested(connection: Connection): Promise<Transaction | undefined> {
  if (!(await isInTransaction(connection))) return undefined
  return {
    isNested: true,
    commit: (temporary) =>
      [...temporary.map((name) => `DROP TABLE IF EXISTS ${name}`), 'RELEASE SAVEPOINT afresh_erase'].join(
        '; ',
      ),
    rollback: () => connection.query('ROLLBACK TO SAVEPOINT afresh_erase; RELEASE SAVEPOINT afresh_erase'),
  }
}

/** SAVEPOINT fails outside of a transaction. */
async function isInTransaction(connection: Connection): Promise<boolean> {
  try {
    await connection.query('SAVEPOINT afresh_erase')
    return true
  } catch (error) {
    if (codeOf(error) === '25P01') return false // no_active_sql_transaction
    throw error
  }
}

/** Errors within a user's transaction are not retried: its snapshot does not change. */
async function failed(
  connection: Connection,
  sql: string,
  cause: unknown,
  isNested: boolean,
): Promise<EraseError> {
  const { code, next } = await adviceFor(connection, cause)
  const error = new EraseError(sql, cause, { next, ...(code !== undefined && { code }) })
  const isConflicting = ['40001', '40P01'].includes(codeOf(cause) ?? '')
  return isConflicting && !isNested ? asConflict(error) : error
}

async function adviceFor(
  connection: Connection,
  cause: unknown,
): Promise<{ code?: ErrorCode; next: string }> {
  switch (codeOf(cause)) {
    case '55P03': // lock_not_available
      return { code: 'blocked', next: await blockersOf(connection) }
    case '40001': // serialization_failure
      return { code: 'blocked', next: REMEDIES.changed }
    case '40P01': // deadlock_detected
      return { code: 'blocked', next: REMEDIES.deadlock }
    case '23503': // foreign_key_violation
    case '23001': // restrict_violation
      return { next: REMEDIES.referred }
    case '23502': // not_null_violation
      return {
        next: 'ON DELETE SET NULL meets a column that is NOT NULL: say for that key what else is to happen (onDelete).',
      }
    case '42501': // insufficient_privilege
      return {
        next: 'Grant the role what the statement needs: SELECT, DELETE, UPDATE, and TEMPORARY on the database.',
      }
    case '42P01': // undefined_table
    case '42703': // undefined_column
    case '42601': // syntax_error
      return { next: REMEDIES.unknownName }
    default:
      return { next: REMEDIES.other }
  }
}
