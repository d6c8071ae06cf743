import type { Table } from '../../schema/schema.ts'
import type { Clone } from './clone.ts'
import type { RowSupply } from './row-stock.ts'
import { SCHEMA_METHODS } from './table-bench.ts'
import type { TableMethod } from './table-methods.ts'

const ROWS = 100

interface LockedInput {
  readonly table: Table
  /** Its name in SQL. */
  readonly sql: string
  readonly method: TableMethod
  readonly supply: RowSupply
}

/** By way: the locks that it takes on the table; `undefined` where the server does not tell, or not with this table. */
export async function locksOn(
  { engine, connection, observer }: Clone,
  { table: { name }, sql, method, supply }: LockedInput,
): Promise<Record<string, string[]> | undefined> {
  const locks: Record<string, string[]> = {}
  for (const way of SCHEMA_METHODS) {
    const statement = method[way]
    if (typeof statement !== 'string') continue
    try {
      await connection.query(method.renew)
      await connection.query(supply.insert(Math.min(ROWS, supply.most)))
      const taken = await engine.bench.locks(connection, observer, [statement], { name, sql })
      if (taken.length > 0) locks[way] = [...taken]
    } catch {
      // How it is filled and emptied is measured next, and what keeps it from that is told then.
      return undefined
    }
  }
  return locks
}
