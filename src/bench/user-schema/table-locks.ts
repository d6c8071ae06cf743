import type { Table } from '../../schema/schema.ts'
import type { Clone } from './clone.ts'
import type { EmptyingSql } from './emptying-sql.ts'
import type { RowSupply } from './row-stock.ts'
import { SCHEMA_METHODS } from './table-bench.ts'

const ROWS = 100

interface LockedInput {
  readonly table: Table
  /** The table's name in SQL. */
  readonly sql: string
  readonly emptying: EmptyingSql
  readonly supply: RowSupply
}

/** By method: the locks it takes on the table; `undefined` if the server does not report them. */
export async function locksOn(
  { engine, connection, observer }: Clone,
  { table: { name }, sql, emptying, supply }: LockedInput,
): Promise<Record<string, string[]> | undefined> {
  const locks: Record<string, string[]> = {}
  for (const method of SCHEMA_METHODS) {
    const statement = emptying[method]
    if (typeof statement !== 'string') continue
    try {
      await connection.query(emptying.renew)
      await connection.query(supply.insert(Math.min(ROWS, supply.most)))
      const taken = await engine.bench.locks(connection, observer, [statement], { name, sql })
      if (taken.length > 0) locks[method] = [...taken]
    } catch {
      // The measurement that follows reports why filling or emptying failed.
      return undefined
    }
  }
  return locks
}
