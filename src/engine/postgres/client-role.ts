import type { Connection } from '../connection.ts'
import { ident, literal } from './quote.ts'

const prefixes = new WeakMap<Connection, string>()

/**
 * Notes who the user's client is when it is attached: a test may say SET ROLE on it, and what afresh keeps in its session
 * belongs to the role that made it.
 */
export async function noteRole(connection: Connection): Promise<void> {
  if (connection.owned) return
  const [row] = await connection.query(
    `SELECT session_user::pg_catalog.text AS session, pg_catalog.current_setting('role') AS role`,
  )
  const session = ident(String(row?.session))
  prefixes.set(
    connection,
    `SET LOCAL SESSION AUTHORIZATION ${session}; SET LOCAL role = ${literal(String(row?.role))}; `,
  )
}

/** What comes first in a message: statements that end with it. */
export function asNotedRole(connection: Connection): string {
  return prefixes.get(connection) ?? ''
}
