import type { Connection } from '../connection.ts'
import { ident, literal } from './quote.ts'

const prefixes = new WeakMap<Connection, string>()

/**
 * Records the role of a user's client when it is attached. A test may SET ROLE on the client, and the objects
 * that afresh keeps in the session belong to the role that created them.
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

/** Statements to prepend to a message; their effect ends with the message. */
export function asNotedRole(connection: Connection): string {
  return prefixes.get(connection) ?? ''
}
