import { codeOf } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import type { Isolation, Proof } from '../erase-dialect.ts'
import { proving } from '../erase-proof.ts'

export interface EraseTransaction {
  readonly isNested: boolean
  /** @param temporary the selections to drop */
  commit(temporary: readonly string[]): Promise<unknown>
  rollback(): Promise<unknown>
}

/** If a user's client is already in a transaction, uses a savepoint within it. */
export async function begin(
  connection: Connection,
  proof: Proof | undefined,
  isolation: Isolation,
): Promise<EraseTransaction> {
  const within = connection.owned ? undefined : await nested(connection)
  const found: EraseTransaction = within ?? {
    isNested: false,
    commit: () => connection.query('COMMIT'),
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

/** A savepoint; `undefined` outside of a transaction. */
export async function nested(connection: Connection): Promise<EraseTransaction | undefined> {
  if (!(await isInTransaction(connection))) return undefined
  return {
    isNested: true,
    commit(temporary) {
      const drop = temporary.map((name) => `DROP TABLE IF EXISTS ${name}`)
      return connection.query([...drop, RELEASE].join('; '))
    },
    rollback: () => connection.query(`ROLLBACK TO SAVEPOINT afresh_erase; ${RELEASE}`),
  }
}

export const RELEASE = 'RELEASE SAVEPOINT afresh_erase'

/** Sets a savepoint, which fails outside of a transaction. */
export async function isInTransaction(connection: Connection): Promise<boolean> {
  try {
    await connection.query('SAVEPOINT afresh_erase')
    return true
  } catch (error) {
    if (codeOf(error) === '25P01') return false // no_active_sql_transaction
    throw error
  }
}

function sqlOf(proof: Proof | undefined): string[] {
  if (typeof proof === 'string') return [proof]
  return typeof proof === 'object' ? [proof.statement] : []
}
