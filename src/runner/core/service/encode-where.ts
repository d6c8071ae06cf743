import { isFragment, SqlFragment } from '../../../erase/sql.ts'
import type { Where } from '../../../erase/where.ts'

/** A condition as a message carries it: copying an SQL fragment would lose what makes it one. */
export type EncodedWhere =
  | { readonly texts: readonly string[]; readonly values: readonly unknown[] }
  | { readonly rows: Exclude<Where, SqlFragment> }

export function encodeWhere(where: Where): EncodedWhere {
  return isFragment(where) ? { texts: where.texts, values: where.values } : { rows: where }
}

export function decodeWhere(where: EncodedWhere): Where {
  return 'rows' in where ? where.rows : new SqlFragment(where)
}
