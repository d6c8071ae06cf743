import type { Connection } from '../connection.ts'
import { literal } from './quote.ts'

/** A program with a definer of more rights may write on its behalf. */
const WRITING = [
  ...['INSERT', 'UPDATE', 'DELETE', 'DROP', 'ALTER', 'CREATE', 'TRIGGER', 'SUPER'],
  ...['SET_ANY_DEFINER', 'SET_USER_ID', 'SET USER', 'ALLOW_NONEXISTENT_DEFINER'],
]

const OWN = `privilege_type IN (${WRITING.map(literal).join(', ')})
  AND grantee = CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', 1)), '@', QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))`

/**
 * Says where a migration that connected by URL may have written, if no account could be created for it.
 * Privileges of roles are in no view.
 */
export async function unconfinedWarning(connection: Connection): Promise<string | undefined> {
  const rows = await connection.query(
    `SELECT '*.*' AS scope, privilege_type AS privilege FROM information_schema.user_privileges WHERE ${OWN}
     UNION ALL SELECT CONCAT(table_schema, '.*'), privilege_type FROM information_schema.schema_privileges
     WHERE ${OWN} AND table_schema NOT LIKE 'afresh%' ORDER BY 1, 2`,
  )
  const scopes = [...new Set(rows.map(({ scope }) => String(scope)))]
  if (scopes.length === 0) return undefined
  const rights = scopes.map(
    (scope) =>
      `${rows.flatMap((row) => (row.scope === scope ? [String(row.privilege)] : [])).join(', ')} on ${scope}`,
  )
  const [row] = await connection.query('SELECT CURRENT_USER() AS name')
  return (
    `the migration ran as ${row?.name}, who may write to other databases too (${rights.join('; ')}), by triggers as well: ` +
    'grant CREATE USER with GRANT OPTION, and afresh restricts migrations to their database; or grant rights on `afresh\\_%`.* only.'
  )
}
